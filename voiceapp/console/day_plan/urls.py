"""The addresses of the day plan, under `/admin/`. Identifiers are checked by the views."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from . import views

PLAN = "admin/appointments/plan/<str:organization_id>/"
APPOINTMENT = f"{PLAN}appointments/<str:appointment_id>/"

urlpatterns = [
    path("admin/appointments/plan/", admin.site.admin_view(views.choose), name="day-plans"),
    path(PLAN, admin.site.admin_view(views.plan), name="day-plan"),
    path(f"{PLAN}feed", views.feed, name="day-plan-feed"),
    path(f"{PLAN}book", views.book, name="day-plan-book"),
    path(f"{APPOINTMENT}move", views.move, name="day-plan-move"),
    path(f"{APPOINTMENT}state", views.state, name="day-plan-state"),
    path(f"{APPOINTMENT}cancel", views.cancel, name="day-plan-cancel"),
    path(f"{APPOINTMENT}undo", views.undo, name="day-plan-undo"),
]

"""The addresses of the order board, under `/admin/`. Identifiers are checked by the views."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from . import views

BOARD = "admin/orders/board/<str:organization_id>/"

urlpatterns = [
    path("admin/orders/board/", admin.site.admin_view(views.choose), name="order-boards"),
    path(BOARD, admin.site.admin_view(views.board), name="order-board"),
    path(f"{BOARD}feed", views.feed, name="order-board-feed"),
    path(f"{BOARD}prep", views.prep, name="order-board-prep"),
    path(f"{BOARD}busy", views.busy, name="order-board-busy"),
    path(f"{BOARD}orders/<str:order_id>/move", views.move, name="order-board-move"),
    path(f"{BOARD}orders/<str:order_id>/undo", views.undo, name="order-board-undo"),
]

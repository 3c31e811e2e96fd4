"""Addresses of calls and orders for other software."""

from __future__ import annotations

from django.urls import path

from sessions.api.internal import OrgConfigView, SubmitOrderView

urlpatterns = [
    path("api/realtime/org-config", OrgConfigView.as_view(), name="org-config"),
    path("api/realtime/submit-order", SubmitOrderView.as_view(), name="submit-order"),
]

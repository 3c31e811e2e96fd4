"""Two customer endpoints, one in each API's error shape, that return the principal."""

from __future__ import annotations

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.api import CustomerView
from voiceapp.core.api.errors import RealtimeSessionError


class CallsView(CustomerView):
    """Scopes calls:read and calls:write, errors of the voice API."""

    scope_area = "calls"

    def get(self, request: Request) -> Response:
        who = self.principal
        return Response(
            {
                "subject": who.subject,
                "kind": who.kind,
                "organization": str(who.organization_id) if who.organization_id else None,
                "sees": sorted(str(each) for each in who.organization_ids),
                "role": who.role,
                "tenant": who.tenant,
            }
        )

    def post(self, request: Request) -> Response:
        return self.get(request)


class RealtimeView(CustomerView):
    """Written alone, errors of `/realtime_session`."""

    scope_area = "sessions"
    error_shape = RealtimeSessionError

    def post(self, request: Request) -> Response:
        return Response({"subject": self.principal.subject})


urlpatterns = [path("calls", CallsView.as_view()), path("realtime", RealtimeView.as_view())]

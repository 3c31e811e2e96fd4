"""What the call page requests: a call for its organization, and how the call is going."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.models import Organization
from agents.organizations.principal import Kind, Principal
from sessions.calls.models import Call
from sessions.rooms.api.calls import CallView
from sessions.rooms.api.errors import NO_CALL_FOR_YOU
from sessions.rooms.api.room_view import RoomView
from voiceapp.core.limits.limit import READ

from .progress import progress_of


@extend_schema(exclude=True)
class CallPageSessionView(CallView):
    """`POST` as `/api/voice/session`, for the organization of the page instead of the user's first one."""

    http_method_names = ["post", "options"]

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        principal: object = request.user
        if isinstance(principal, Principal):
            found = Organization.objects.visible_to(principal).filter(slug=self.kwargs["organization"]).first()
            if found:
                request.user = replace(principal, organization_id=found.pk)  # type: ignore[assignment]

    def post(self, request: Request, organization: str) -> Response:  # type: ignore[override]
        acts_for = self.principal.organization_id
        if acts_for is None or not Organization.objects.filter(pk=acts_for, slug=organization).exists():
            raise NO_CALL_FOR_YOU.error()
        return super().post(request)


@extend_schema(exclude=True)
class CallProgressView(RoomView):
    """How a call is going, for its page."""

    limits = {"GET": READ}
    http_method_names = ["get", "head", "options"]

    def get(self, request: Request, organization: str, call_id: str) -> Response:
        calls = Call.objects.reachable_by(self.principal).filter(organization__slug=organization)
        call = calls.select_related("organization").filter(pk=call_id).first() if is_uuid(call_id) else None
        if call is None:
            raise NO_CALL_FOR_YOU.error()
        return Response(progress_of(call, is_operator=self.principal.kind is Kind.SESSION))


def is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

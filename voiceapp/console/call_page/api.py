"""What the call page requests: a call for its organization, and how the call is going."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.call_page.models import PUBLIC, CallPage
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.calls.services import finish_call
from sessions.realtime.services.hang_ups import hang_up
from sessions.rooms.api.calls import open_call
from sessions.rooms.api.errors import CHANGE_DENIED, NO_CALL_FOR_YOU
from sessions.rooms.api.room_view import Access, may
from sessions.rooms.serializers.calls import StartSessionRequest, StartSessionResponse
from sessions.rooms.services.calls import WantedCall, end_room_call
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.api.timestamps import iso_z
from voiceapp.core.http.client_address import address_of
from voiceapp.core.limits.limit import CALL_PROGRESS, READ, SESSION_CREATION
from voiceapp.core.limits.views import LimitedView

from .admission import admit
from .page_view import CallPageError, CallPageView
from .progress import progress_of
from .visitor_tokens import BEGINS_WITHIN, VisitorToken


@extend_schema(exclude=True)
class CallPageSessionView(CallPageView):
    """`POST` as `/api/voice/session`, for the organization of the page: its own agent, prompt and voice."""

    limits = {"POST": SESSION_CREATION}
    http_method_names = ["post", "options"]

    def post(self, request: Request, organization: str) -> Response:
        body = StartSessionRequest.of_body(request)
        caller = self.caller
        wanted = WantedCall(is_recorded=body["enableRecording"] and not caller.is_visitor, voice="")
        with admit(caller, address=address_of(request._request)) as admission:
            opened = open_call(caller.principal, wanted, on_written=admission.took)
        return Response(StartSessionResponse(opened).data)


@extend_schema(exclude=True)
class VisitorTokenView(LimitedView):
    """Another token for a public page that is open: each begins one call."""

    authentication_classes = []
    permission_classes = []
    error_shape = CallPageError
    limits = {"POST": READ}
    http_method_names = ["post", "options"]

    def post(self, request: Request, organization: str) -> Response:
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        page = CallPage.objects.filter(who_may_call__in=PUBLIC, organization__slug=organization).first()
        if page is None:
            raise NO_CALL_FOR_YOU.error()
        text, token = VisitorToken.issue(page.organization_id)
        return Response({"token": text, "expiresAt": iso_z(token.issued_at + BEGINS_WITHIN)}, status=201)


@extend_schema(exclude=True)
class CallProgressView(CallPageView):
    """How a call is going, for its page: state, agent, running order, response times. DELETE ends it."""

    limits = {"GET": CALL_PROGRESS}
    http_method_names = ["get", "head", "delete", "options"]

    def get(self, request: Request, organization: str, call_id: str) -> Response:
        return Response(progress_of(self._find(call_id), is_operator=self.caller.sees_cost))

    def delete(self, request: Request, organization: str, call_id: str) -> Response:
        call = self._find(call_id)
        if not (self.caller.is_visitor or may(self.principal, call, Access.WRITE)):
            raise CHANGE_DENIED.error()
        if call.room_name:
            end_room_call(call, reason=EndReason.ENDED_BY_REQUEST)
        else:
            finish_call(call.pk, reason=EndReason.ENDED_BY_REQUEST)
            hang_up(call)
        call.refresh_from_db()
        return Response(progress_of(call, is_operator=self.caller.sees_cost))

    def _find(self, call_id: str) -> Call:
        calls = self.caller.calls().select_related("organization")
        call = calls.filter(pk=call_id).first() if is_uuid(call_id) else None
        if call is None:
            raise NO_CALL_FOR_YOU.error()
        return call


def is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

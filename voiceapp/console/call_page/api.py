"""What the call page requests: a call for its organization, and how the call is going."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.orders.draft import lines_from_json
from sessions.orders.models import DraftOrder, Order, OrderState
from sessions.orders.services.drafts import view_of
from sessions.rooms.api.calls import CallView
from sessions.rooms.api.errors import NO_CALL_FOR_YOU
from sessions.rooms.api.room_view import RoomView
from sessions.rooms.services.agents import agent_of
from sessions.rooms.services.room_state import message_about
from voiceapp.core.limits.limit import READ


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
    """How a call is going, for its page: state, agent, running order, response times."""

    limits = {"GET": READ}
    http_method_names = ["get", "head", "options"]

    def get(self, request: Request, organization: str, call_id: str) -> Response:
        calls = Call.objects.reachable_by(self.principal).filter(organization__slug=organization)
        call = calls.select_related("organization").filter(pk=call_id).first() if is_uuid(call_id) else None
        if call is None:
            raise NO_CALL_FOR_YOU.error()
        return Response(progress_of(call))


def is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def progress_of(call: Call) -> dict[str, Any]:
    agent = agent_of(call)
    return {
        "state": call.state,
        "endReason": EndReason(call.end_reason).label if call.end_reason else "",
        "durationS": call.duration_so_far_s,
        "agentStatus": agent.status if agent else None,
        "message": message_about(agent) if agent else "",
        "order": _running_order(call),
        "submitted": _submitted(call),
        "responseMs": list(call.turns.exclude(response_ms=None).values_list("response_ms", flat=True)),
    }


def _running_order(call: Call) -> object:
    draft = DraftOrder.objects.filter(call=call).first()
    if draft is None or not draft.lines or call.organization is None:
        return None
    return view_of(call.organization, draft.version, lines_from_json(draft.lines)).shown()


def _submitted(call: Call) -> object:
    order = Order.objects.filter(call=call).exclude(state=OrderState.REPLACED).order_by("-number").first()
    return {"number": order.number, "total": str(order.total), "currency": order.currency} if order else None

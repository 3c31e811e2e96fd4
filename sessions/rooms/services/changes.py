"""What a client may change of a call in a room: its state by one table, its agent's status, its metadata."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import TERMINAL_STATES, Call, CallState
from sessions.calls.services import record_event
from voiceapp.core.errors import ApplicationError

from .agents import agent_of, change_agent_status
from .calls import end_room_call

# A live call moves to any later state: a client may have missed, or skipped, what lies between.
NEXT: Mapping[str, tuple[str, ...]] = {
    CallState.PENDING: (CallState.RINGING, CallState.CONNECTED, *TERMINAL_STATES),
    CallState.RINGING: (CallState.CONNECTED, *TERMINAL_STATES),
    CallState.CONNECTED: TERMINAL_STATES,
}
REASONS: Mapping[str, EndReason] = {
    CallState.COMPLETED: EndReason.ENDED_BY_REQUEST,
    CallState.MISSED: EndReason.NOT_ANSWERED,
    CallState.FAILED: EndReason.FAILED_BY_REQUEST,
}


class StateRefused(ApplicationError):
    """The state does not follow the one that the call is in."""

    def __init__(self, current: str, wanted: str) -> None:
        super().__init__(f"A call that is {current} does not become {wanted}.")


class NoAgentInCall(ApplicationError):
    """The call has no agent whose status could change."""

    message = "This room has no agent."


@transaction.atomic
def change_call(
    call: Call, *, state: str = "", agent_status: str = "", metadata: Mapping[str, object] | None = None
) -> None:
    """All of it or nothing. Raises StateRefused, NoAgentInCall and StatusRefused."""
    current = Call.objects.select_for_update(of=("self",), no_key=True).get(pk=call.pk)
    if metadata is not None:
        Call.objects.filter(pk=current.pk).update(metadata=dict(metadata))
    if agent_status:
        _change_agent(current, agent_status)
    if state:
        _change_state(current, state)


def _change_agent(call: Call, status: str) -> None:
    agent = agent_of(call)
    if agent is None:
        raise NoAgentInCall
    change_agent_status(agent, status)


def _change_state(call: Call, state: str) -> None:
    """The row is locked: no other end of the call can come between the look and the write."""
    if state == call.state:
        return
    if state not in NEXT.get(call.state, ()):
        raise StateRefused(call.state, state)
    if state in REASONS:
        end_room_call(call, reason=REASONS[state], state=CallState(state))
        return
    timestamps = {"connected_at": timezone.now()} if state == CallState.CONNECTED else {}
    Call.objects.filter(pk=call.pk, state=call.state).update(state=state, **timestamps)
    record_event(call.pk, state, {"by": "request"})

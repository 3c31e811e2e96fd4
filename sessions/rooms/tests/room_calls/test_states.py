"""From which state to which a client may move a call, and what its end brings about."""

from __future__ import annotations

import pytest

from agents.organizations.models import Organization
from agents.tests.people import ApiClient, refused
from sessions.calls.models import TERMINAL_STATES, Call, CallEvent, CallState
from sessions.messages.models import OutboxMessage
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.closing import TOPIC
from sessions.tests.builders import ROOM, make_room_call

from .api_requests import SESSION

ORDER = ("pending", "ringing", "connected")
TERMINAL = ("completed", "missed", "failed")
ALLOWED = {(old, new) for index, old in enumerate(ORDER) for new in (*ORDER[index + 1 :], *TERMINAL)}
REASONS = {"completed": "ended_by_request", "missed": "not_answered", "failed": "failed_by_request"}
MOVES = [(old.value, new.value) for old in CallState for new in CallState]


def call_in(organization: Organization, state: str) -> Call:
    timestamps = {"connected_at": None} if state in ("pending", "ringing", "missed", "failed") else {}
    return make_room_call(organization, state=state, **timestamps)


@pytest.mark.parametrize(("old", "new"), [move for move in MOVES if move in ALLOWED])
def test_a_live_call_moves_to_any_later_state(alice: ApiClient, harbour: Organization, old: str, new: str) -> None:
    call = call_in(harbour, old)
    agent = RoomAgent.objects.create(call=call, identity="ai-agent-1", voice="alloy", status="active")
    assert alice.patch(SESSION, roomName=ROOM, status=new).status_code == 200
    call.refresh_from_db()
    agent.refresh_from_db()
    is_over = new in TERMINAL_STATES
    assert (call.state, call.end_reason) == (new, REASONS.get(new, ""))
    assert (call.connected_at is not None) is ("connected" in (old, new))
    assert (call.ended_at is not None) is is_over
    assert agent.status == ("disconnected" if is_over else "active")
    assert OutboxMessage.objects.filter(topic=TOPIC, partition_key=ROOM).count() == (1 if is_over else 0)
    assert CallEvent.objects.filter(call=call, kind="ended" if is_over else new).count() == 1


@pytest.mark.parametrize(("old", "new"), [move for move in MOVES if move not in ALLOWED and move[0] != move[1]])
def test_all_else_is_refused(alice: ApiClient, harbour: Organization, old: str, new: str) -> None:
    call = call_in(harbour, old)
    assert refused(alice.patch(SESSION, roomName=ROOM, status=new, metadata={"a": 1})) == (400, "Invalid status")
    call.refresh_from_db()
    assert (call.state, call.metadata) == (old, {})
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("state", CallState.values)
def test_the_same_again_changes_nothing(alice: ApiClient, harbour: Organization, state: str) -> None:
    call = call_in(harbour, state)
    assert alice.patch(SESSION, roomName=ROOM, status=state).status_code == 200
    call.refresh_from_db()
    assert call.state == state
    assert not OutboxMessage.objects.exists()


def test_an_agents_status_does_not_go_back_and_takes_nothing_else_along(
    alice: ApiClient, harbour: Organization
) -> None:
    call = make_room_call(harbour, state="ringing", connected_at=None)
    RoomAgent.objects.create(call=call, identity="ai-agent-1", voice="alloy", status="active")
    answer = alice.patch(SESSION, roomName=ROOM, status="connected", agentStatus="pending", metadata={"a": 1})
    assert refused(answer) == (400, "Invalid status")
    call.refresh_from_db()
    assert (call.state, call.metadata) == ("ringing", {})


def test_a_call_without_a_requested_agent_has_no_agent_status(alice: ApiClient, harbour: Organization) -> None:
    make_room_call(harbour)
    assert refused(alice.patch(SESSION, roomName=ROOM, agentStatus="active")) == (404, "Agent not found")


@pytest.mark.parametrize(("state", "end"), [("pending", "missed"), ("ringing", "missed"), ("connected", "completed")])
def test_an_ended_call_is_completed_only_if_it_was_connected(
    alice: ApiClient, harbour: Organization, state: str, end: str
) -> None:
    call = call_in(harbour, state)
    assert alice.delete(SESSION, roomName=ROOM).status_code == 200
    call.refresh_from_db()
    assert (call.state, call.end_reason) == (end, "ended_by_request")


def test_ending_twice_is_as_good_as_once(alice: ApiClient, harbour: Organization) -> None:
    make_room_call(harbour)
    first, second = alice.delete(SESSION, roomName=ROOM), alice.delete(SESSION, roomName=ROOM)
    assert first.json() == second.json()
    assert OutboxMessage.objects.filter(topic=TOPIC).count() == 1

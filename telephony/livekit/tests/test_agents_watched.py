"""Agents that do not come, or are lost in a call: another one comes once, or the call ends with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.messages.outbox import outbox
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agents import claim_agent, identity_of
from sessions.rooms.services.dispatches import remove_agent
from sessions.rooms.services.room_state import LATE, LOST, NEVER_JOINED, REPLACED
from sessions.rooms.services.tokens import Role
from sessions.tests.builders import make_room_call
from telephony.tasks import reconcile_calls_in_rooms
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit
from voiceapp.tests.waiting import soon

from .held_clock import held_clock
from .rooms import Room, open_room

pytestmark = pytest.mark.django_db(transaction=True)


def workers(livekit: RunningLiveKit, *, are_there: bool) -> None:
    livekit.do(lambda backend: setattr(backend.workers, "names", None if are_there else frozenset()))


def agent_of(room: Room) -> RoomAgent:
    assert room.agent
    return room.agent


def shown(room: Room) -> dict[str, Any]:
    """What the room's participants see."""
    found = LiveKitClient.from_settings().find_room(room.name)
    state: dict[str, Any] = json.loads(found.metadata) if found and found.metadata else {}
    return state


def in_room(room: Room) -> list[str]:
    return [each.identity for each in LiveKitClient.from_settings().list_participants(room.name) if each.is_agent]


def talking(livekit: RunningLiveKit, harbour: Organization, **wanted: Any) -> Room:
    room = open_room(livekit, harbour, **wanted)
    room.agent_comes()
    room.caller_joins()
    room.process_webhooks()
    assert (room.call.state, agent_of(room).status) == ("connected", "active")
    return room


def worker_dies(room: Room) -> None:
    """LiveKit reports that it left, and what follows from that is done."""
    room.leaves(agent_of(room).identity)
    room.process_webhooks()
    outbox.process_due()


# Nobody comes


def test_a_worker_that_starts_late_gets_the_call_by_a_second_request(
    livekit: RunningLiveKit, harbour: Organization
) -> None:
    workers(livekit, are_there=False)
    with held_clock(livekit) as clock:
        room = open_room(livekit, harbour)
        room.caller_joins()
        clock.until(lambda: agent_of(room).tries == 2, at_most_s=15)
        clock.until(lambda: shown(room), at_most_s=5)
        assert shown(room) == {"agentStatus": "pending", "agentSilent": False, "message": LATE}
    assert room.timeline.count("agent_requested_again") == 1
    assert len(LiveKitClient.from_settings().list_dispatches(room.name)) == 1


def test_the_second_request_brings_the_agent(livekit: RunningLiveKit, harbour: Organization) -> None:
    workers(livekit, are_there=False)
    with held_clock(livekit) as clock:
        room = open_room(livekit, harbour)
        clock.passes(8)
        workers(livekit, are_there=True)
        clock.passes(10)
        assert soon(lambda: in_room(room)) == [agent_of(room).identity]
        room.caller_joins()
        clock.until(lambda: room.call.state == "connected", at_most_s=5)
    assert agent_of(room).status == "active"


@pytest.mark.parametrize("has_caller", [True, False])
def test_a_call_for_which_no_agent_comes_fails_and_says_why(
    livekit: RunningLiveKit, harbour: Organization, has_caller: bool
) -> None:
    workers(livekit, are_there=False)
    with held_clock(livekit) as clock:
        room = open_room(livekit, harbour)
        if has_caller:
            room.caller_joins()
        clock.until(lambda: agent_of(room).never_joined, at_most_s=30)
        clock.until(lambda: shown(room)["agentStatus"] == "disconnected", at_most_s=5)
        assert shown(room)["message"].startswith(NEVER_JOINED)
        clock.until(lambda: room.call.state == "failed", at_most_s=40)
        clock.passes(5)
    assert room.call.end_reason == "agent_never_joined"
    assert LiveKitClient.from_settings().find_room(room.name) is None


def without_agent(livekit: RunningLiveKit, harbour: Organization, *, joins: Role, **wanted: Any) -> Room:
    """A call of two people, for which no agent has come after 100 s: it goes on."""
    workers(livekit, are_there=False)
    with held_clock(livekit) as clock:
        room = open_room(livekit, harbour, **wanted)
        room.caller_joins()
        room.joins(joins)
        clock.passes(100)
        assert (room.call.state, agent_of(room).never_joined) == ("connected", True)
    return room


def test_a_conference_goes_on_without_an_agent(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = without_agent(livekit, harbour, joins=Role.MEMBER, call_type="conference")
    assert "goes on" in shown(room)["message"]


def test_a_call_that_a_person_took_over_goes_on_without_an_agent(
    livekit: RunningLiveKit, harbour: Organization
) -> None:
    without_agent(livekit, harbour, joins=Role.CALLEE)


# The worker dies in a call


def test_an_agent_that_is_lost_is_replaced_once_under_its_identity(
    livekit: RunningLiveKit, harbour: Organization
) -> None:
    room = talking(livekit, harbour)
    identity = agent_of(room).identity
    assert claim_agent(identity, job_id="AJ_1")
    workers(livekit, are_there=False)
    worker_dies(room)
    assert agent_of(room).status == "pending"
    assert claim_agent(identity, job_id="AJ_2")
    outbox.process_due()
    assert shown(room) == {"agentStatus": "pending", "agentSilent": False, "message": REPLACED}
    dispatch = _dispatch_of(room)
    livekit.do(lambda backend: backend.workers.join(backend.rooms.open[room.name], dispatch))
    room.process_webhooks()
    assert (agent_of(room).status, in_room(room)) == ("active", [identity])
    assert (room.call.state, RoomAgent.objects.count(), room.timeline.count("agent_replaced")) == ("connected", 1, 1)


def _dispatch_of(room: Room) -> str:
    (dispatch,) = LiveKitClient.from_settings().list_dispatches(room.name)
    return dispatch.id


def test_a_call_that_loses_its_agent_twice_fails_and_says_why(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = talking(livekit, harbour)
    worker_dies(room)
    room.agent_comes()
    room.process_webhooks()
    with held_clock(livekit) as clock:
        worker_dies(room)
        assert (agent_of(room).status, room.call.state) == ("disconnected", "connected")
        assert shown(room)["message"].startswith(LOST)
        clock.until(lambda: room.call.state == "failed", at_most_s=40)
    assert (room.call.end_reason, room.timeline.count("agent_replaced")) == ("agent_lost", 1)


def test_a_loss_that_no_event_reported_is_found_in_the_list(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = talking(livekit, harbour)
    with held_clock(livekit) as clock:
        livekit.control("PUT", "webhooks", json={"urls": []})
        clock.passes(15)
        room.leaves(agent_of(room).identity)
        clock.until(lambda: agent_of(room).replaced_at, at_most_s=10)
    assert soon(lambda: in_room(room)) == [agent_of(room).identity]


def test_one_that_is_back_by_itself_is_not_replaced(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = talking(livekit, harbour)
    dispatch = _dispatch_of(room)
    room.leaves(agent_of(room).identity)
    room.process_webhooks()
    livekit.do(lambda backend: backend.workers.join(backend.rooms.open[room.name], dispatch))
    outbox.process_due()
    room.process_webhooks()
    assert (agent_of(room).status, agent_of(room).replaced_at, _dispatch_of(room)) == ("active", None, dispatch)


def test_one_that_was_removed_by_request_is_not_replaced(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = talking(livekit, harbour)
    remove_agent(room.call)
    room.process_webhooks()
    outbox.process_due()
    reconcile_calls_in_rooms()
    assert (agent_of(room).status, in_room(room), room.call.state) == ("disconnected", [], "connected")


def test_it_is_replaced_when_the_caller_is_back(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = talking(livekit, harbour)
    room.leaves(room.caller)
    worker_dies(room)
    assert (agent_of(room).status, agent_of(room).replaced_at) == ("disconnected", None)
    room.caller_joins()
    room.process_webhooks()
    outbox.process_due()
    assert soon(lambda: in_room(room)) == [agent_of(room).identity]


def test_nothing_is_brought_into_a_call_that_ended(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = talking(livekit, harbour)
    room.leaves(agent_of(room).identity)
    room.process_webhooks()
    LiveKitClient.from_settings().delete_room(room.name)
    room.process_webhooks()
    outbox.process_due()
    assert (room.call.state, agent_of(room).replaced_at) == ("completed", None)
    assert LiveKitClient.from_settings().find_room(room.name) is None


def test_an_identity_depends_on_call_number_and_environment_alone(harbour: Organization, settings: Settings) -> None:
    call, other = make_room_call(harbour), make_room_call(None, room_name="other")
    first = identity_of(call, number=1)
    assert first == identity_of(call, number=1)
    settings.ENVIRONMENT = "elsewhere"
    others = [identity_of(call, number=1), identity_of(call, number=2), identity_of(other, number=1)]
    assert len({first, *others}) == 4

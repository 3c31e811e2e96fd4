"""Agents that were not dispatched and people without a token do not count and are removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.rooms.models import RoomAgent, RoomToken
from sessions.rooms.services.guard import remove_unauthorized
from telephony.events.models import ProviderEvent
from telephony.livekit.reconciliation import reconcile_rooms
from telephony.tasks import process_events
from voiceapp.providers.livekit.client import AgentRequest, LiveKitClient
from voiceapp.providers.livekit.values import Participant
from voiceapp.simulators.livekit.tests.running import RunningLiveKit
from voiceapp.tests.waiting import soon

from .rooms import Room, grow_old, open_room

pytestmark = pytest.mark.django_db(transaction=True)

KINDS: list[dict[str, Any]] = [
    {"call_type": "support", "has_agent": False},
    {"call_type": "user-to-user", "callee": "user_bob", "has_agent": False},
    {"call_type": "conference", "has_agent": False},
]


def agent_token(room: Room) -> str:
    return LiveKitClient.from_settings().agent_token(room=room.name, identity="agent-AJ_uninvited")


def person_token(room: Room) -> str:
    return LiveKitClient.from_settings().join_token(room=room.name, identity="somebody", name="Alice")


def present(room: Room) -> list[str]:
    return [each.identity for each in LiveKitClient.from_settings().list_participants(room.name)]


def removals(room: Room) -> list[dict[str, str]]:
    return [each.detail for each in room.call.events.filter(kind="participant_removed")]


@pytest.mark.parametrize("wanted", KINDS)
@pytest.mark.parametrize(("token", "kind"), [(agent_token, "agent"), (person_token, "standard")])
@pytest.mark.parametrize("comes_first", [True, False])
def test_an_unauthorized_participant_is_removed_and_connects_no_call(
    livekit: RunningLiveKit,
    harbour: Organization,
    wanted: dict[str, Any],
    token: Callable[[Room], str],
    kind: str,
    comes_first: bool,
) -> None:
    room = open_room(livekit, harbour, **wanted)
    if not comes_first:
        room.caller_joins()
    livekit.join(token(room))
    if comes_first:
        room.caller_joins()
    room.process_webhooks()
    room.process_webhooks()
    assert present(room) == [room.caller]
    assert (room.call.state, room.agent) == ("ringing", None)
    assert removals(room) == [{"who": "unauthorized", "kind": kind}]
    assert [line for line in room.timeline if line.endswith("unauthorized")] == [
        "participant_joined unauthorized", "participant_removed unauthorized", "participant_left unauthorized",
    ]  # fmt: skip


def test_an_unauthorized_agent_does_not_count_as_the_one_expected(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings
) -> None:
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("agent_never")
    room = open_room(livekit, harbour)
    livekit.join(agent_token(room))
    room.caller_joins()
    room.process_webhooks()
    assert present(room) == [room.caller]
    assert room.agent
    assert (room.call.state, room.agent.status) == ("ringing", "pending")


def test_the_expected_agent_stays_when_another_one_is_removed(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = open_room(livekit, harbour)
    expected = room.agent_comes()
    room.caller_joins()
    livekit.join(agent_token(room))
    room.process_webhooks()
    assert set(present(room)) == {expected, room.caller}
    room.process_webhooks()
    assert RoomAgent.objects.get().status == "active"
    assert room.call.state == "connected"


def test_a_worker_without_a_name_finds_no_room_that_we_made(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings
) -> None:
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("unnamed_worker", "agent_late=0.05")
    room = open_room(livekit, harbour, has_agent=False)
    room.caller_joins()
    another = AgentRequest("somebody-elses-agent")
    LiveKitClient.from_settings().create_dispatch(room.name, another)
    soon(lambda: len(present(room)) > 1 or None)
    room.process_webhooks()
    # Only the one that was dispatched by its name came. It is put out, and its dispatch is withdrawn.
    assert present(room) == [room.caller]
    assert LiveKitClient.from_settings().list_dispatches(room.name) == ()
    assert room.call.state == "ringing"
    assert len(removals(room)) <= 1


@pytest.mark.parametrize("lost", ["participant_joined", ""])
def test_one_whose_join_event_was_lost_is_removed(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings, lost: str
) -> None:
    """By the event of the track, or without any webhook by a look into the room."""
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url(f"webhook_lost={lost}" if lost else "webhook_lost")
    room = open_room(livekit, harbour, call_type="conference", has_agent=False)
    room.caller_joins()
    livekit.join(person_token(room))
    room.process_webhooks()
    if not lost:
        grow_old()
        reconcile_rooms()
    assert present(room) == [room.caller]
    assert room.call.state == "ringing"
    assert len(removals(room)) == 1


def test_while_livekit_does_not_respond_removal_is_retried(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings
) -> None:
    room = open_room(livekit, harbour, has_agent=False)
    livekit.join(person_token(room))
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("away", "only=RemoveParticipant")
    room.process_webhooks()
    assert ProviderEvent.objects.filter(state="waiting", last_error__contains="503").exists()
    assert (present(room), removals(room)) == (["somebody"], [])
    settings.LIVEKIT_INTERNAL_URL = livekit.url
    ProviderEvent.objects.update(due_at=room.call.created_at)
    process_events()
    assert present(room) == []
    assert len(removals(room)) == 1
    room.process_webhooks()  # LiveKit's own event that somebody has left
    assert not ProviderEvent.objects.exclude(state="done").exists()


@pytest.mark.parametrize("role", RoomToken.Role.values)
def test_everybody_with_a_token_stays(livekit: RunningLiveKit, harbour: Organization, role: str) -> None:
    room = open_room(livekit, harbour, has_agent=False)
    identity = room.joins(RoomToken.Role(role))
    room.process_webhooks()
    assert (present(room), removals(room)) == ([identity], [])


def test_a_token_for_another_call_does_not_count(livekit: RunningLiveKit, harbour: Organization) -> None:
    other, room = (open_room(livekit, harbour, has_agent=False) for _ in range(2))
    livekit.join(LiveKitClient.from_settings().join_token(room=room.name, identity=other.caller))
    room.process_webhooks()
    assert present(room) == []


def seen(identity: str, kind: str) -> Participant:
    return Participant("PA_1", identity, "", kind, "active", "", {}, None, (), "")


def test_livekits_own_recorder_is_left_alone_and_other_machines_are_not(
    livekit: RunningLiveKit, harbour: Organization
) -> None:
    room = open_room(livekit, harbour, has_agent=False)
    livekit.join(person_token(room))
    assert remove_unauthorized(room.call, [seen("somebody", "egress")]) == 0
    assert present(room) == ["somebody"]
    for kind in ("sip", "ingress", "connector", "bridge", "unknown"):
        assert remove_unauthorized(room.call, [seen("somebody-else", kind)]) == 0
        assert remove_unauthorized(room.call, [seen("somebody", kind)]) == 1
        livekit.join(person_token(room))


def test_no_participant_is_removed_from_a_room_that_only_has_the_calls_name(
    livekit: RunningLiveKit, harbour: Organization
) -> None:
    room = open_room(livekit, harbour, has_agent=False)
    call = room.call
    call.room_sid = "RM_another"
    livekit.join(person_token(room))
    assert remove_unauthorized(call, [seen("somebody", "standard")]) == 0
    assert present(room) == ["somebody"]

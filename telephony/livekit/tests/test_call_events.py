"""What LiveKit's webhooks do to calls, agents and participants, from a live server to the database."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.organizations.principal import Kind, Principal
from agents.organizations.roles import Role as OrganizationRole
from sessions.calls.end_reasons import EndReason
from sessions.messages.outbox import outbox
from sessions.rooms.models import Participant, RoomToken
from sessions.rooms.services.calls import WantedCall, end_room_call, open_room_call
from sessions.rooms.services.tokens import ticket_to_join
from telephony.events.models import ProviderEvent
from telephony.tasks import process_events
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit
from voiceapp.tests.waiting import soon

from .rooms import Room, open_room, state_of

pytestmark = pytest.mark.django_db(transaction=True)

Role = RoomToken.Role


def test_a_support_call_rings_until_caller_and_agent_are_there(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = open_room(livekit, harbour)
    identity = room.agent_comes()
    room.process_webhooks()
    assert (room.call.state, room.agent and room.agent.status) == ("ringing", "active")
    before = timezone.now()
    room.caller_joins()
    room.process_webhooks()
    call = room.call
    assert call.state == "connected"
    assert call.connected_at
    assert before - dt.timedelta(milliseconds=1) <= call.connected_at <= timezone.now()
    people = {each.identity: (each.kind, each.left_at) for each in call.participants.all()}
    assert people == {identity: ("agent", None), room.caller: ("person", None)}


def test_the_room_closes_after_the_last_person_and_the_call_is_completed(
    livekit: RunningLiveKit, harbour: Organization
) -> None:
    room = open_room(livekit, harbour)
    room.agent_comes()
    room.caller_joins()
    room.leaves(room.caller)
    livekit.advance(21)
    room.process_webhooks()
    call = room.call
    assert (call.state, call.end_reason) == ("completed", "room_closed")
    assert room.agent
    assert room.agent.status == "disconnected"
    assert not call.participants.filter(left_at=None).exists()
    assert room.timeline == [
        "requested",
        "room_opened",
        "participant_joined agent",
        "participant_joined caller",
        "connected",
        "participant_left caller",
        "participant_left agent",
        "room_closed",
        "ended",
    ]


@pytest.mark.parametrize("fault", ["agent_never", "no_worker"])
def test_a_call_whose_agent_never_came_is_missed(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings, fault: str
) -> None:
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url(fault)
    room = open_room(livekit, harbour)
    room.caller_joins()
    room.process_webhooks()
    assert (room.call.state, room.agent and room.agent.status) == ("ringing", "pending")
    room.leaves(room.caller)
    livekit.advance(21)
    room.process_webhooks()
    assert (room.call.state, room.call.end_reason, room.call.connected_at) == ("missed", "room_closed", None)


def test_a_call_whose_room_stays_empty_is_missed(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = open_room(livekit, harbour, has_agent=False)
    livekit.advance(601)
    room.process_webhooks()
    assert state_of(room.call) == ("missed", "room_closed")
    assert room.call.events.filter(kind="room_closed").exists()


def test_a_call_between_two_is_connected_by_the_callee(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = open_room(livekit, harbour, call_type="user-to-user", callee="user_bob", has_agent=False)
    room.caller_joins()
    room.joins(Role.MEMBER)
    room.process_webhooks()
    assert room.call.state == "ringing"
    room.joins(Role.CALLEE)
    room.process_webhooks()
    assert room.call.state == "connected"


def test_a_conference_is_connected_by_the_second_participant(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = open_room(livekit, harbour, call_type="conference", has_agent=False)
    room.joins(Role.MEMBER)
    room.joins(Role.MEMBER, "user_mia")
    room.process_webhooks()
    assert room.call.state == "ringing"
    room.caller_joins()
    room.process_webhooks()
    assert room.call.state == "connected"


def test_they_must_be_there_at_the_same_time(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = open_room(livekit, harbour, call_type="user-to-user", callee="user_bob", has_agent=False)
    room.caller_joins()
    room.leaves(room.caller)
    room.joins(Role.CALLEE)
    room.process_webhooks()
    assert room.call.state == "ringing"
    room.caller_joins()
    room.process_webhooks()
    assert room.call.state == "connected"
    assert room.call.participants.filter(identity=room.caller).count() == 2


def test_an_agent_that_leaves_is_disconnected_and_the_call_goes_on(
    livekit: RunningLiveKit, harbour: Organization
) -> None:
    room = open_room(livekit, harbour)
    identity = room.agent_comes()
    room.caller_joins()
    room.leaves(identity)
    soon(room.agent_has_gone)
    assert room.agent
    assert (room.agent.status, room.agent.joined_at is None) == ("disconnected", False)
    assert room.call.state == "connected"


def test_a_call_ended_by_request_stays_as_it_ended_whatever_events_follow(
    livekit: RunningLiveKit, harbour: Organization
) -> None:
    room = open_room(livekit, harbour)
    room.agent_comes()
    room.caller_joins()
    livekit.webhooks()  # received, but not processed
    end_room_call(room.call, reason=EndReason.ENDED_BY_REQUEST)
    ended_at = room.call.ended_at
    outbox.process_due()
    room.process_webhooks()
    assert LiveKitClient.from_settings().find_room(room.name) is None
    call = room.call
    assert (call.state, call.end_reason, call.ended_at) == ("missed", "ended_by_request", ended_at)
    assert room.agent
    assert room.agent.status == "disconnected"
    assert call.participants.count() == 2
    assert not ProviderEvent.objects.exclude(state="done").exists()


# A room's name that is used again


def test_events_of_an_earlier_room_do_not_touch_the_call_that_has_its_name_now(
    livekit: RunningLiveKit, harbour: Organization
) -> None:
    first = open_room(livekit, harbour, room_name="harbour", has_agent=False)
    first.caller_joins()
    first.leaves(first.caller)
    LiveKitClient.from_settings().delete_room("harbour")
    livekit.webhooks()
    end_room_call(first.call, reason=EndReason.ENDED_BY_REQUEST)
    second = open_room(livekit, harbour, room_name="harbour", has_agent=False)
    assert second.call.room_sid != first.call.room_sid
    second.process_webhooks()
    assert second.call.state == "ringing"
    assert not second.call.participants.exists()
    assert first.call.participants.count() == 1
    finished = ProviderEvent.objects.filter(kind="room_finished").get()
    assert finished.call == first.call


def test_a_room_without_a_call_is_ignored(livekit: RunningLiveKit) -> None:
    client = LiveKitClient.from_settings()
    client.create_room("nobodys")
    livekit.join(client.join_token(room="nobodys", identity="x"))
    client.delete_room("nobodys")
    livekit.webhooks()
    process_events()
    assert set(ProviderEvent.objects.values_list("state", flat=True)) == {"done"}
    assert not ProviderEvent.objects.exclude(call=None).exists()
    assert not Participant.objects.exists()


# Webhooks that go astray


@pytest.mark.parametrize(
    "fault",
    [
        "webhook_twice",
        "webhook_reordered",
        "webhook_no_id",
        "webhook_no_time",
        "webhook_lost=room_started",
        "webhook_lost=participant_joined",
        "webhook_lost=track_published",
        "webhook_lost=participant_left",
        "webhook_bad_signature=participant_joined",
    ],
)
def test_webhooks_that_go_astray_lead_to_the_same_end(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings, fault: str
) -> None:
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url(fault)
    room = open_room(livekit, harbour)
    identity = room.agent_comes()
    room.caller_joins()
    room.process_webhooks()
    assert room.call.state == "connected"
    room.leaves(room.caller)
    livekit.advance(21)
    room.process_webhooks()
    assert (room.call.state, room.call.end_reason) == ("completed", "room_closed")
    assert room.agent
    assert room.agent.status == "disconnected"
    people = set(room.call.participants.values_list("identity", "kind"))
    assert people == {(identity, "agent"), (room.caller, "person")}
    assert not room.call.participants.filter(left_at=None).exists()
    lines = [line for line in room.timeline if line != "room_opened"]
    assert sorted(lines) == sorted(set(lines))


# Tokens of one API key


def website(harbour: Organization) -> Principal:
    return Principal(
        "key_abcdefghij",
        frozenset({harbour.pk}),
        kind=Kind.KEY,
        organization_id=harbour.pk,
        roles={harbour.pk: OrganizationRole.MANAGER},
    )


@pytest.mark.parametrize("call_type", ["support", "user-to-user", "conference"])
@pytest.mark.parametrize("uses_first", [True, False])
def test_two_people_who_join_with_tokens_of_one_key_are_connected(
    livekit: RunningLiveKit, harbour: Organization, call_type: str, uses_first: bool
) -> None:
    """One of the tokens may be the one that came with the session, or both are requested afterwards."""
    key = website(harbour)
    opened = open_room_call(key, WantedCall(call_type=call_type, callee="user_bob", has_agent=False))
    tickets = [opened.ticket] if uses_first else []
    while len(tickets) < 2:
        ticket = ticket_to_join(opened.call, key)
        assert ticket
        tickets.append(ticket)
    room = Room(livekit, opened)
    livekit.join(tickets[0].token)
    room.process_webhooks()
    assert room.call.state == "ringing"
    livekit.join(tickets[1].token)
    room.process_webhooks()
    assert room.call.state == "connected"

"""States follow from who is there now, by LiveKit's `sid` and its own list, whatever order the events come in."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from django.utils import timezone

from agents.organizations.models import Organization
from agents.tests.builders import make_organization
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.rooms.models import RoomAgent, RoomToken
from sessions.rooms.services.agents import WITHDRAW_TOPIC, agent_expected, agent_removed, change_agent_status
from sessions.rooms.services.events import only_these_are_there
from voiceapp.providers.livekit.values import Participant

from .test_any_order import CALLER, ROOM, process

pytestmark = pytest.mark.django_db

KEY = "key_abcdefghij"


@pytest.fixture
def harbour(db: None) -> Organization:
    return make_organization("Harbour")


@pytest.fixture
def call(harbour: Organization) -> Call:
    return old_call(harbour, call_type="support")


def old_call(harbour: Organization, **values: Any) -> Call:
    call = Call.objects.create(organization=harbour, kind="room", room_name=ROOM, state="ringing", **values)
    Call.objects.filter(pk=call.pk).update(created_at=timezone.now() - dt.timedelta(seconds=120), room_sid="RM_1")
    RoomToken.objects.create(call=call, identity=CALLER, role="caller", subject=call.owner)
    call.refresh_from_db()
    return call


def at(call: Call, second: float) -> dt.datetime:
    return call.created_at.replace(microsecond=0) + dt.timedelta(seconds=1 + second)


class Events:
    """Events of one call as livekit-server 1.13.5 sends them."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def joined(self, sid: str, identity: str, second: int, **more: Any) -> dict[str, Any]:
        return self._event("participant_joined", sid, second, identity=identity, joinedAt=self._s(second), **more)

    def left(self, sid: str, identity: str, second: int, *, since: int, **more: Any) -> dict[str, Any]:
        return self._event("participant_left", sid, second, identity=identity, joinedAt=self._s(since), **more)

    def track(self, sid: str, identity: str, second: int) -> dict[str, Any]:
        """Of the room and the participant nothing but who they are: no time of joining, and no kind."""
        return self._event("track_published", sid, second, identity=identity)

    def _event(self, event: str, sid: str, second: int, **about: Any) -> dict[str, Any]:
        room = {"sid": "RM_1", "name": ROOM}
        if not event.startswith("track"):
            room["creationTime"] = self._s(0)
        return {
            "event": event, "id": f"EV_{event}_{sid}", "createdAt": self._s(second), "room": room,
            "participant": {"sid": sid, **about},
        }  # fmt: skip

    def _s(self, second: int) -> str:
        return str(int(at(self.call, second).timestamp()))


def listed(sid: str, identity: str, joined_at: dt.datetime, kind: str = "standard") -> Participant:
    return Participant(sid, identity, "", kind, "active", "", {}, joined_at, (), "")


def lines(call: Call) -> list[tuple[str, str, dt.datetime]]:
    return sorted((each.kind, str(each.detail.get("who", "")), each.at) for each in call.events.all())


# A track's event says less than the others


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_track_event_before_its_participants_changes_nothing(call: Call, order: tuple[int, ...]) -> None:
    agent, events_of_call = agent_expected(call, system_prompt="", voice="alloy"), Events(call)
    events = [
        events_of_call.joined("PA_agent", agent.identity, 2, kind="AGENT", name="w"),
        events_of_call.joined("PA_caller", CALLER, 5, name="Alice"),
        events_of_call.track("PA_agent", agent.identity, 7),
        events_of_call.track("PA_caller", CALLER, 9),
    ]
    for index in order:
        process(events[index])
    call.refresh_from_db()
    agent.refresh_from_db()
    assert (call.state, call.connected_at) == ("connected", at(call, 5))
    assert (agent.status, agent.joined_at) == ("active", at(call, 2))
    people = {each.sid: (each.kind, each.name, each.joined_at) for each in call.participants.all()}
    assert people == {"PA_agent": ("agent", "w", at(call, 2)), "PA_caller": ("person", "Alice", at(call, 5))}
    assert lines(call) == [
        ("connected", "", at(call, 5)),
        ("participant_joined", "agent", at(call, 2)),
        ("participant_joined", "caller", at(call, 5)),
    ]


# An agent that comes back


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("reason", ["DUPLICATE_IDENTITY", "CLIENT_INITIATED"])
def test_an_agent_that_came_back_under_another_sid_is_there(call: Call, order: tuple[int, ...], reason: str) -> None:
    agent, events_of_call = agent_expected(call, system_prompt="", voice="alloy"), Events(call)
    events = [
        events_of_call.joined("PA_1", agent.identity, 2, kind="AGENT"),
        events_of_call.left("PA_1", agent.identity, 8, since=2, kind="AGENT", disconnectReason=reason),
        events_of_call.joined("PA_2", agent.identity, 9, kind="AGENT"),
    ]
    for index in order:
        process(events[index])
    agent.refresh_from_db()
    assert (agent.status, agent.disconnected_at) == ("active", None)
    process(events_of_call.left("PA_2", agent.identity, 30, since=9, kind="AGENT"))
    agent.refresh_from_db()
    assert agent.status == "disconnected"
    assert not OutboxMessage.objects.exists()


def test_an_agent_that_was_removed_is_removed_again_when_it_comes_back(call: Call) -> None:
    agent, events_of_call = agent_expected(call, system_prompt="", voice="alloy"), Events(call)
    process(events_of_call.joined("PA_1", agent.identity, 2, kind="AGENT"))
    agent_removed(agent)
    process(events_of_call.left("PA_1", agent.identity, 8, since=2, kind="AGENT"))
    process(events_of_call.joined("PA_2", agent.identity, 9, kind="AGENT"))
    agent.refresh_from_db()
    assert agent.status == "disconnected"
    assert OutboxMessage.objects.filter(topic=WITHDRAW_TOPIC, partition_key=agent.identity).exists()


def test_an_agent_that_was_replaced_is_removed_when_it_comes_back(call: Call) -> None:
    first, events_of_call = agent_expected(call, system_prompt="", voice="alloy"), Events(call)
    process(events_of_call.joined("PA_1", first.identity, 2, kind="AGENT"))
    process(events_of_call.left("PA_1", first.identity, 8, since=2, kind="AGENT"))
    second = agent_expected(call, system_prompt="", voice="alloy")
    process(events_of_call.joined("PA_2", first.identity, 9, kind="AGENT"))
    assert set(RoomAgent.objects.values_list("pk", "status")) == {(first.pk, "disconnected"), (second.pk, "pending")}
    assert OutboxMessage.objects.filter(topic=WITHDRAW_TOPIC, partition_key=first.identity).exists()


# LiveKit's own list


def test_a_listed_participant_is_present_although_their_leaving_was_reported(call: Call) -> None:
    agent, events_of_call = agent_expected(call, system_prompt="", voice="alloy"), Events(call)
    for sid, identity, kind in (("PA_agent", agent.identity, "AGENT"), ("PA_caller", CALLER, "STANDARD")):
        process(events_of_call.joined(sid, identity, 2, kind=kind))
        process(events_of_call.left(sid, identity, 8, since=2, kind=kind))
    there = [listed("PA_agent", agent.identity, at(call, 2), "agent"), listed("PA_caller", CALLER, at(call, 2))]
    only_these_are_there(call, there, at=timezone.now())
    agent.refresh_from_db()
    assert agent.status == "active"
    assert not call.participants.exclude(left_at=None).exists()
    assert not call.events.filter(kind="participant_left").exists()
    assert call.participants.count() == 2


def test_one_who_left_while_the_list_was_made_does_not_come_back(call: Call) -> None:
    events_of_call = Events(call)
    process(events_of_call.joined("PA_caller", CALLER, 2))
    process(events_of_call.left("PA_caller", CALLER, 60, since=2))
    only_these_are_there(call, [listed("PA_caller", CALLER, at(call, 2))], at=at(call, 62))
    assert call.participants.get().left_at is not None


@pytest.mark.parametrize("age_s", [0, 60])
def test_an_agent_that_says_it_is_there_and_is_not_listed_has_gone(call: Call, age_s: int) -> None:
    agent = agent_expected(call, system_prompt="", voice="alloy")
    change_agent_status(agent, "active")
    RoomAgent.objects.update(joined_at=timezone.now() - dt.timedelta(seconds=age_s))
    only_these_are_there(call, [], at=timezone.now())
    agent.refresh_from_db()
    # One that came while the list was made is not in it.
    assert agent.status == ("disconnected" if age_s else "active")


# Two people with tokens of one key


@pytest.mark.parametrize("call_type", ["support", "user-to-user", "conference"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_two_people_with_tokens_of_one_key_are_two(
    harbour: Organization, call_type: str, order: tuple[int, ...]
) -> None:
    call = old_call(harbour, owner=KEY, call_type=call_type)
    RoomToken.objects.create(call=call, identity="caller-2", role="caller", subject=KEY)
    events_of_call = Events(call)
    events = [
        events_of_call.joined("PA_1", CALLER, 2),
        events_of_call.joined("PA_2", "caller-2", 5),
        events_of_call.track("PA_2", "caller-2", 6),
    ]
    for index in order:
        process(events[index])
    call.refresh_from_db()
    assert (call.state, call.connected_at) == ("connected", at(call, 5))


@pytest.mark.parametrize(("call_type", "who"), [("user-to-user", "callee"), ("conference", "other")])
def test_the_timeline_names_the_second_of_them_as_the_other_party(
    harbour: Organization, call_type: str, who: str
) -> None:
    call = old_call(harbour, owner=KEY, call_type=call_type)
    RoomToken.objects.create(call=call, identity="caller-2", role="caller", subject=KEY)
    events_of_call = Events(call)
    process(events_of_call.joined("PA_2", "caller-2", 2))
    process(events_of_call.joined("PA_1", CALLER, 5))
    process(events_of_call.left("PA_1", CALLER, 9, since=5))
    named = [(each.kind, each.detail["who"]) for each in call.events.exclude(kind="connected")]
    assert named == [("participant_joined", "caller"), ("participant_joined", who), ("participant_left", who)]


@pytest.mark.parametrize("subject", ["user_alice", "42", ""])
@pytest.mark.parametrize("call_type", ["support", "user-to-user", "conference"])
def test_one_person_on_two_devices_is_one(harbour: Organization, call_type: str, subject: str) -> None:
    call = old_call(harbour, owner=subject, call_type=call_type)
    RoomToken.objects.create(call=call, identity="caller-2", role="caller", subject=subject)
    events_of_call = Events(call)
    for sid, identity in (("PA_1", CALLER), ("PA_2", "caller-2")):
        process(events_of_call.joined(sid, identity, 2))
    call.refresh_from_db()
    assert call.state == "ringing"


def test_where_the_key_named_the_callee_the_callers_tokens_are_one_persons(harbour: Organization) -> None:
    call = old_call(harbour, owner=KEY, call_type="user-to-user")
    for identity, role in (("caller-2", "caller"), ("callee-1", "callee")):
        RoomToken.objects.create(call=call, identity=identity, role=role, subject=KEY)
    events_of_call = Events(call)
    for sid, identity in (("PA_1", CALLER), ("PA_2", "caller-2")):
        process(events_of_call.joined(sid, identity, 2))
    call.refresh_from_db()
    assert call.state == "ringing"
    process(events_of_call.joined("PA_3", "callee-1", 7))
    call.refresh_from_db()
    assert (call.state, call.connected_at) == ("connected", at(call, 7))


def test_who_left_before_the_other_came_was_not_there_with_them(harbour: Organization) -> None:
    call = old_call(harbour, owner=KEY, call_type="user-to-user")
    RoomToken.objects.create(call=call, identity="caller-2", role="caller", subject=KEY)
    events_of_call = Events(call)
    process(events_of_call.joined("PA_2", "caller-2", 9))
    process(events_of_call.left("PA_1", CALLER, 6, since=2))
    call.refresh_from_db()
    assert call.state == "ringing"

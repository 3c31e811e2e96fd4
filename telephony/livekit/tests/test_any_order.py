"""The events of one call, in any order and repeated: the result is the same, and no order breaks anything."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from typing import Any

import pytest
from django.utils import timezone

from agents.organizations.models import Organization
from agents.tests.builders import make_organization
from sessions.calls.models import Call
from sessions.rooms.models import RoomAgent, RoomToken
from sessions.rooms.services.agents import agent_expected
from telephony.events.models import ProviderEvent
from telephony.livekit.events import process_livekit_event

pytestmark = pytest.mark.django_db

ROOM, CALLER = "harbour", "caller-1"


@pytest.fixture
def call(db: None) -> Call:
    harbour: Organization = make_organization("Harbour")
    call = Call.objects.create(organization=harbour, kind="room", call_type="support", room_name=ROOM, state="ringing")
    Call.objects.filter(pk=call.pk).update(created_at=timezone.now() - dt.timedelta(seconds=120), room_sid="RM_1")
    RoomToken.objects.create(call=call, identity=CALLER, role="caller")
    agent_expected(call, system_prompt="", voice="alloy")
    call.refresh_from_db()
    return call


class Story:
    """A whole call: agent at 2 s, caller at 5 s, caller gone at 30 s, agent at 50 s, room closed at 50 s."""

    def __init__(self, call: Call) -> None:
        self.began = call.created_at.replace(microsecond=0) + dt.timedelta(seconds=1)
        self.agent = RoomAgent.objects.get(call=call).identity

    def at(self, seconds: int) -> dt.datetime:
        return self.began + dt.timedelta(seconds=seconds)

    def events(self) -> list[dict[str, Any]]:
        agent = {"sid": "PA_agent", "identity": self.agent, "kind": "AGENT", "joinedAt": self._s(2)}
        caller = {"sid": "PA_caller", "identity": CALLER, "joinedAt": self._s(5)}
        gone = {"state": "DISCONNECTED", "disconnectReason": "CLIENT_INITIATED"}
        return [
            self._event(0, "room_started"),
            self._event(2, "participant_joined", participant=agent),
            self._event(5, "participant_joined", participant=caller),
            self._event(6, "track_published", participant=caller, track={"sid": "TR_1"}),
            self._event(30, "participant_left", participant=caller | gone),
            self._event(50, "participant_left", participant=agent | gone),
            self._event(50, "room_finished", roomEndReason="ROOM_END_IDLE_TIMEOUT"),
        ]

    def _event(self, seconds: int, name: str, **about: object) -> dict[str, Any]:
        room = {"sid": "RM_1", "name": ROOM, "creationTime": self._s(0)}
        return {"event": name, "id": f"EV_{name}_{seconds}", "createdAt": self._s(seconds), "room": room} | about

    def _s(self, seconds: int) -> str:
        return str(int(self.at(seconds).timestamp()))


def process(event: dict[str, Any]) -> None:
    stored, _ = ProviderEvent.objects.get_or_create(
        source="livekit", dedup_key=event["id"], defaults={"kind": event["event"], "fields": event}
    )
    process_livekit_event(stored)


def facts(call: Call) -> dict[str, Any]:
    call.refresh_from_db()
    agent = RoomAgent.objects.get(call=call)
    return {
        "agent": (agent.status, agent.joined_at, agent.disconnected_at),
        "people": {each.sid: (each.kind, each.joined_at, each.left_at) for each in call.participants.all()},
        "timeline": sorted((each.at, each.kind) for each in call.events.all()),
    }


def test_events_in_order_and_each_twice_make_a_completed_call(call: Call) -> None:
    story = Story(call)
    for event in story.events():
        process(event)
        process(event)
    call.refresh_from_db()
    assert (call.state, call.end_reason, call.connected_at) == ("completed", "room_closed", story.at(5))
    assert call.ended_at
    assert 0 <= (call.ended_at - story.at(50)).total_seconds() < 1
    assert call.duration_s == 45
    kinds = [each.kind for each in call.events.all()]
    assert kinds == [
        "room_opened", "participant_joined", "participant_joined", "connected", "participant_left", "participant_left",
        "room_closed", "ended",
    ]  # fmt: skip


def orders(count: int) -> list[tuple[int, ...]]:
    every = list(itertools.permutations(range(count)))
    return random.Random(7).sample(every, 60)


@pytest.mark.embedded
@pytest.mark.parametrize("order", orders(6), ids=lambda order: "".join(map(str, order)))
def test_any_order_before_the_end_gives_the_same_call(call: Call, order: tuple[int, ...]) -> None:
    """The times of connecting, joining and leaving are LiveKit's, not those at which we received the events."""
    story = Story(call)
    events = story.events()
    for index in order:
        process(events[index])
        process(events[random.Random(index).choice(order)])
    call.refresh_from_db()
    assert (call.state, call.connected_at) == ("connected", story.at(5))
    process(events[-1])
    found = facts(call)
    assert (call.state, call.end_reason, call.duration_s) == ("completed", "room_closed", 45)
    assert found["agent"][:2] == ("disconnected", story.at(2))
    assert {sid: person[:2] for sid, person in found["people"].items()} == {
        "PA_agent": ("agent", story.at(2)),
        "PA_caller": ("person", story.at(5)),
    }
    left = {sid: int((person[2] - story.began).total_seconds()) for sid, person in found["people"].items()}
    assert left == {"PA_agent": 50, "PA_caller": 30}
    kinds = [kind for _, kind in found["timeline"]]
    assert sorted(kinds) == sorted(
        ["room_opened", "connected", "room_closed", "ended", *["participant_joined"] * 2, *["participant_left"] * 2]
    )


@pytest.mark.parametrize("first", range(6))
def test_an_end_that_arrives_before_the_rest_stays_the_end(call: Call, first: int) -> None:
    events = Story(call).events()
    process(events[first])
    process(events[-1])
    ended = facts(call), call.state, call.ended_at
    assert ended[1] == "missed"
    for event in events:
        process(event)
    found = facts(call)
    assert (call.state, call.end_reason, call.ended_at) == ("missed", "room_closed", ended[2])
    assert found["agent"][0] == "disconnected"
    assert set(found["people"]) == {"PA_agent", "PA_caller"}
    assert [kind for _, kind in found["timeline"]].count("ended") == 1


@pytest.mark.parametrize("lost", range(6))
def test_one_lost_event_does_not_change_the_end(call: Call, lost: int) -> None:
    story = Story(call)
    for index, event in enumerate(story.events()):
        if index != lost:
            process(event)
    call.refresh_from_db()
    assert (call.state, call.connected_at) == ("completed", story.at(5))
    assert not call.participants.filter(left_at=None).exists()
    assert RoomAgent.objects.get().status == "disconnected"


def test_a_failed_connection_is_no_participant(call: Call) -> None:
    story = Story(call)
    events = story.events()
    aborted = {**events[2], "event": "participant_connection_aborted", "id": "EV_aborted"}
    for event in (events[1], aborted, aborted):
        process(event)
    call.refresh_from_db()
    assert call.state == "ringing"
    assert [each.kind for each in call.events.all()] == ["participant_joined", "participant_failed_to_join"]


def test_an_event_without_the_rooms_sid_finds_its_call_by_name_and_time(call: Call) -> None:
    process({"event": "participant_joined", "id": "EV_1", "room": {"name": ROOM, "creationTime": 1640995200},
          "participant": {"identity": CALLER}})  # fmt: skip
    assert call.participants.get().identity == CALLER
    assert ProviderEvent.objects.get().call == call


def test_nothing_is_taken_to_have_happened_in_the_future_or_before_the_call(call: Call) -> None:
    story = Story(call)
    early = story.events()[2]
    early["participant"]["joinedAt"] = "5"
    late = story.events()[1]
    late["participant"]["joinedAt"] = str(int(timezone.now().timestamp()) + 3600)
    process(early)
    process(late)
    call.refresh_from_db()
    assert call.connected_at
    assert call.created_at < call.connected_at <= timezone.now()
    assert call.participants.get(sid="PA_caller").joined_at == call.created_at

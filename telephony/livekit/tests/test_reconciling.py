"""All webhooks lost: what a look into the rooms finds makes calls, agents, participants and recordings right again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings
from structlog.testing import capture_logs

from agents.organizations.models import Organization
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.rooms.services.agents import agent_expected
from telephony.livekit import reconciliation as module
from telephony.livekit.reconciliation import reconcile_rooms
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit, name_livekit, running_livekit

from .rooms import grow_old, open_room, state_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def livekit(settings: Settings, transactional_db: None) -> Iterator[RunningLiveKit]:
    """One that sends no webhooks."""
    with running_livekit() as running:
        name_livekit(settings, running.url)
        yield running


def old_call(room_name: str, state: str = "ringing", **values: Any) -> Call:
    call = Call.objects.create(kind="room", call_type="support", room_name=room_name, state=state, **values)
    Call.objects.filter(pk=call.pk).update(created_at=timezone.now() - dt.timedelta(minutes=2))
    call.refresh_from_db()
    return call


def test_a_call_goes_its_whole_way_without_one_webhook(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = open_room(livekit, harbour)
    identity = room.agent_comes()
    grow_old()
    assert reconcile_rooms() == 1
    assert room.agent
    assert (room.call.state, room.agent.status, room.agent.identity) == ("ringing", "active", identity)
    joined_at = timezone.now()
    room.caller_joins()
    reconcile_rooms()
    call = room.call
    assert call.state == "connected"
    assert call.connected_at
    assert abs((call.connected_at - joined_at).total_seconds()) < 1
    room.leaves(room.caller)
    Call.objects.filter(pk=call.pk).update(created_at=call.created_at - dt.timedelta(minutes=1))
    call.participants.update(joined_at=F("joined_at") - dt.timedelta(minutes=1))
    reconcile_rooms()
    assert call.participants.get(identity=room.caller).left_at
    assert room.call.state == "connected"
    livekit.advance(21)
    reconcile_rooms()
    assert state_of(call) == ("completed", "room_closed")
    assert room.agent.status == "disconnected"
    assert not call.participants.filter(left_at=None).exists()
    assert reconcile_rooms() == 0


def test_a_call_that_is_being_opened_is_left_alone(livekit: RunningLiveKit) -> None:
    Call.objects.create(kind="room", call_type="support", room_name="harbour")
    assert reconcile_rooms() == 0


@pytest.mark.parametrize(
    ("state", "end"),
    [
        ("pending", ("failed", "lost_process")),
        ("ringing", ("missed", "room_closed")),
        ("connected", ("completed", "room_closed")),
    ],
)
def test_a_call_without_a_room_is_over(livekit: RunningLiveKit, state: str, end: tuple[str, str]) -> None:
    call = old_call("harbour", state, connected_at=timezone.now() if state == "connected" else None)
    assert reconcile_rooms() == 1
    assert state_of(call) == end


def test_a_process_that_died_before_the_room_was_open_leaves_neither_call_nor_agent_nor_room(
    livekit: RunningLiveKit,
) -> None:
    call = old_call("harbour", "pending")
    agent = agent_expected(call, system_prompt="", voice="alloy")
    reconcile_rooms()
    # LiveKit carries out the request late.
    client = LiveKitClient.from_settings()
    client.create_room("harbour")
    agent.refresh_from_db()
    assert (state_of(call), agent.status) == (("failed", "lost_process"), "disconnected")
    assert OutboxMessage.objects.filter(topic="room.close", partition_key="harbour").exists()
    outbox.process_due()
    assert client.find_room("harbour") is None


def test_a_process_that_died_between_the_room_and_the_ring_leaves_no_room(livekit: RunningLiveKit) -> None:
    client = LiveKitClient.from_settings()
    client.create_room("harbour")
    call = old_call("harbour", "pending")
    reconcile_rooms()
    assert state_of(call) == ("failed", "lost_process")
    outbox.process_due()
    assert client.find_room("harbour") is None


def test_a_room_of_the_same_name_is_not_the_calls(livekit: RunningLiveKit) -> None:
    client = LiveKitClient.from_settings()
    call = old_call("harbour", "connected", connected_at=timezone.now(), room_sid="RM_earlier")
    client.create_room("harbour")
    livekit.join(client.join_token(room="harbour", identity="stranger"))
    reconcile_rooms()
    assert state_of(call) == ("completed", "room_closed")
    assert not call.participants.exists()


@pytest.mark.parametrize("fault", ["agent_never", "no_worker"])
def test_an_agent_that_does_not_come_is_disconnected(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings, fault: str
) -> None:
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url(fault)
    room = open_room(livekit, harbour)
    reconcile_rooms()
    assert room.agent
    assert room.agent.status == "pending"
    grow_old()
    reconcile_rooms()
    assert (room.call.state, room.agent.status) == ("ringing", "disconnected")
    assert "agent_never_joined" in room.timeline


def test_an_agent_whose_event_was_lost_is_not_disconnected(livekit: RunningLiveKit, harbour: Organization) -> None:
    room = open_room(livekit, harbour)
    room.agent_comes()
    grow_old(dt.timedelta(minutes=5))
    reconcile_rooms()
    assert room.agent
    assert room.agent.status == "active"


def test_an_agent_of_a_call_that_is_over_is_gone(livekit: RunningLiveKit) -> None:
    call = old_call("harbour", "missed")
    agent = agent_expected(call, system_prompt="", voice="alloy")
    reconcile_rooms()
    agent.refresh_from_db()
    assert agent.status == "disconnected"


def test_an_automatic_recording_starts_when_tracks_are_seen(
    livekit: RunningLiveKit, harbour: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: list[Call] = []
    monkeypatch.setattr(module, "enqueue_automatic_recording", wanted.append)
    room = open_room(livekit, harbour, has_agent=False)
    grow_old()
    reconcile_rooms()
    assert wanted == []
    room.caller_joins()
    reconcile_rooms()
    assert wanted == [room.call]


# LiveKit away, many calls


@pytest.mark.parametrize("fault", ["away", "credentials", "empty", "garbage", "only=ListParticipants/fault/away"])
def test_while_livekit_is_away_no_call_ends_and_one_warning_is_logged(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings, fault: str
) -> None:
    calls = [open_room(livekit, harbour, has_agent=False).call for _ in range(3)]
    grow_old()
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url(*fault.split("/fault/"))
    with capture_logs() as logs:
        assert reconcile_rooms() == 0
    assert [log["event"] for log in logs if log["log_level"] == "warning"] == ["rooms not reconciled"]
    assert {state_of(call) for call in calls} == {("ringing", "")}
    settings.LIVEKIT_INTERNAL_URL = livekit.url
    assert reconcile_rooms() == 3


def test_without_livekit_no_call_ends(livekit: RunningLiveKit, settings: Settings) -> None:
    call = old_call("harbour")
    settings.LIVEKIT_API_SECRET = ""
    assert reconcile_rooms() == 0
    assert state_of(call) == ("ringing", "")


def test_everybody_has_a_turn(livekit: RunningLiveKit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_AT_ONCE", 2)
    client = LiveKitClient.from_settings()
    for number in range(5):
        client.create_room(f"room-{number}")
        old_call(f"room-{number}")
    assert [reconcile_rooms() for _ in range(3)] == [2, 2, 2]
    assert not Call.objects.filter(room_checked_at=None).exists()


def test_one_request_lists_the_rooms_and_one_each_the_participants(
    livekit: RunningLiveKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[str] = []
    real = LiveKitClient._request

    def count(self: LiveKitClient, work: Any, **more: Any) -> Any:
        requests.append(work.__name__)
        return real(self, work, **more)

    client = LiveKitClient.from_settings()
    for number in range(4):
        if number:
            client.create_room(f"room-{number}")
        old_call(f"room-{number}")
    monkeypatch.setattr(LiveKitClient, "_request", count)
    reconcile_rooms()
    assert requests == ["list_rooms"] + ["list_participants"] * 3


def test_a_run_ends_in_time(livekit: RunningLiveKit, monkeypatch: pytest.MonkeyPatch) -> None:
    client = LiveKitClient.from_settings()
    for number in range(3):
        client.create_room(f"room-{number}")
        old_call(f"room-{number}")
    monkeypatch.setattr(module, "MAX_RUN", dt.timedelta(0))
    assert [reconcile_rooms() for _ in range(3)] == [1, 1, 1]

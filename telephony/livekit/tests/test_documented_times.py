"""The times that the documentation gives for calls in rooms hold, by a clock that is held and the worker's own beat."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from recordings.services.starting import start_recording
from recordings.services.stopping import stop_recording
from sessions.calls.models import Call
from sessions.rooms.models import RoomAgent
from telephony.events.inbox import inbox
from telephony.events.models import ProviderEvent
from telephony.livekit.reconciliation import RUNS_EVERY
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.values import EgressStatus
from voiceapp.simulators.livekit.tests.running import RunningLiveKit, name_livekit, running_livekit
from voiceapp.tests.waiting import soon

from .held_clock import beat, held_clock
from .rooms import Room, open_room

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.waits, pytest.mark.embedded]

DOCS = django_settings.BASE_DIR / "docs"
# When in its beat something happens.
PHASES = [0, 1, 3, 4]
LATE_PHASES = [0, 7, 19, 29]


@pytest.fixture
def livekit(settings: Settings, transactional_db: None) -> Iterator[RunningLiveKit]:
    """One whose webhooks all get lost."""
    with running_livekit() as running:
        name_livekit(settings, running.url)
        settings.LIVEKIT_RECORDING_BUCKET = ""
        yield running


def documented(page: str, text: str) -> None:
    """The documentation says so, wherever its lines break."""
    content = re.sub(r"\s+", " ", (DOCS / page).read_text())
    assert text in content, f"docs/{page} does not say: {text}"


def test_the_beat_is_the_one_that_the_times_are_made_for() -> None:
    assert beat()["telephony.tasks.reconcile_rooms"] == RUNS_EVERY.total_seconds()


@pytest.mark.parametrize("phase_s", PHASES)
@pytest.mark.parametrize("fault", ["agent_never", "no_worker"])
def test_an_agent_that_does_not_come_is_disconnected_within_thirty_seconds(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings, fault: str, phase_s: int
) -> None:
    documented("reference/livekit.md", "An agent that has not come within 30 seconds is given up by then")
    documented("reference/room-agents.md", "An agent that is not seen is given up within 30 seconds")
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url(fault)
    with held_clock(livekit, phase_s=phase_s) as clock:
        room = open_room(livekit, harbour)
        assert room.agent
        clock.passes(20)
        assert room.agent.status == "pending"
        took_s = 20 + clock.until(lambda: room.agent and room.agent.status == "disconnected", at_most_s=60)
    assert took_s <= 30


@pytest.mark.parametrize("phase_s", PHASES)
def test_a_young_call_is_known_within_five_seconds_without_one_webhook(
    livekit: RunningLiveKit, harbour: Organization, phase_s: int
) -> None:
    documented("reference/livekit.md", "in the first minute of a call everything is known within five seconds")
    with held_clock(livekit, phase_s=phase_s) as clock:
        room = open_room(livekit, harbour)
        room.agent_comes()
        room.caller_joins()
        joined_at = timezone.now()
        assert clock.until(lambda: room.call.state == "connected", at_most_s=60) <= 5
        assert room.call.connected_at
        assert abs(room.call.connected_at - joined_at) < dt.timedelta(seconds=1)


@pytest.mark.parametrize("phase_s", PHASES)
def test_a_room_that_has_closed_is_missed_within_five_seconds(
    livekit: RunningLiveKit, harbour: Organization, phase_s: int
) -> None:
    documented("reference/livekit.md", "A call whose room is gone is over within five seconds")
    with held_clock(livekit, phase_s=phase_s) as clock:
        room = open_room(livekit, harbour)
        room.agent_comes()
        room.caller_joins()
        clock.passes(100)
        LiveKitClient.from_settings().delete_room(room.name)
        closed_at = timezone.now()
        assert clock.until(lambda: room.call.state == "completed", at_most_s=60) <= 5
        assert room.call.ended_at
        # No event arrived, so it is the last time at which the room was known to be open.
        assert dt.timedelta(0) <= closed_at - room.call.ended_at <= dt.timedelta(seconds=5)


@pytest.mark.parametrize("phase_s", LATE_PHASES)
def test_who_takes_anothers_place_in_an_old_call_is_known_within_thirty_seconds(
    livekit: RunningLiveKit, harbour: Organization, phase_s: int
) -> None:
    """So that the number of people stays the same."""
    documented("reference/livekit.md", "later within thirty, and within five where the number of people has changed")
    with held_clock(livekit, phase_s=phase_s) as clock:
        room = open_room(livekit, harbour)
        room.agent_comes()
        room.caller_joins()
        clock.passes(130)
        room.leaves(room.caller)
        room.caller_joins()
        # The first presence has left, the second has come.
        took_s = clock.until(lambda: room.call.participants.filter(identity=room.caller).count() == 2, at_most_s=90)
        assert took_s <= 30
        assert room.call.state == "connected"


@pytest.mark.parametrize("phase_s", PHASES)
def test_who_comes_late_into_an_old_call_is_known_within_five_seconds(
    livekit: RunningLiveKit, harbour: Organization, phase_s: int
) -> None:
    with held_clock(livekit, phase_s=phase_s) as clock:
        room = open_room(livekit, harbour)
        room.agent_comes()
        clock.passes(200)
        assert room.call.state == "ringing"
        room.caller_joins()
        assert clock.until(lambda: room.call.state == "connected", at_most_s=60) <= 5


def test_a_call_that_is_being_opened_has_thirty_seconds(livekit: RunningLiveKit, transactional_db: None) -> None:
    documented("reference/livekit.md", "one that was still being opened after 30 seconds has failed")
    with held_clock(livekit, phase_s=2) as clock:
        call = Call.objects.create(kind="room", call_type="support", room_name="harbour", state="pending")
        clock.passes(29)
        call.refresh_from_db()
        assert call.state == "pending"
        clock.until(lambda: Call.objects.get().state == "failed", at_most_s=6)


# Events that were kept


@pytest.mark.parametrize("phase_s", PHASES)
def test_what_a_killed_worker_had_leased_is_done_within_twenty_five_seconds(
    transactional_db: None, phase_s: int
) -> None:
    documented("reference/livekit.md", "A worker that dies leaves its event to the next one, within 25 seconds")
    with held_clock(phase_s=phase_s) as clock:
        inbox.store("livekit", dedup_key="EV_1", kind="moon_landed", partition_key="r", fields={"event": "moon_landed"})
        assert inbox._lease_next(["livekit"])  # and dies
        assert clock.until(lambda: ProviderEvent.objects.get().state == "done", at_most_s=60) <= 25


@pytest.mark.parametrize("phase_s", PHASES)
def test_an_event_whose_wake_up_was_lost_is_done_within_five_seconds(transactional_db: None, phase_s: int) -> None:
    documented("reference/livekit.md", "A wake-up that is lost is made good within five")
    with held_clock(phase_s=phase_s) as clock:
        inbox.store("livekit", dedup_key="EV_1", kind="moon_landed", partition_key="r", fields={"event": "moon_landed"})
        assert clock.until(lambda: ProviderEvent.objects.get().state == "done", at_most_s=60) <= 5


def test_an_event_that_cannot_be_processed_is_failed_within_five_minutes(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    documented("reference/livekit.md", "attempted eight times within five minutes")
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    with held_clock() as clock:
        unreadable = {"event": "participant_left", "participant": {"joinedAt": "never"}}
        inbox.store("livekit", dedup_key="EV_1", kind="participant_left", partition_key="r", fields=unreadable)
        took_s = clock.until(lambda: ProviderEvent.objects.get().state == "failed", at_most_s=600)
    assert (took_s <= 300, ProviderEvent.objects.get().attempts) == (True, inbox.max_attempts)


# Recordings


@pytest.fixture
def talking(livekit: RunningLiveKit, harbour: Organization, settings: Settings) -> Room:
    """A caller and an agent who speak, and a bucket."""
    settings.LIVEKIT_RECORDING_BUCKET, settings.LIVEKIT_RECORDING_REGION = "bucket", "eu-west-1"
    room = open_room(livekit, harbour, is_recorded=False)
    room.agent_comes()
    room.caller_joins()
    Call.objects.update(state="connected", connected_at=timezone.now())
    return room


def recorded(room: Room) -> str:
    return str(room.call.recordings.get().state)


@pytest.mark.parametrize("phase_s", LATE_PHASES)
def test_a_recording_that_never_begins_is_ended_within_two_and_a_half_minutes(
    livekit: RunningLiveKit, talking: Room, settings: Settings, phase_s: int
) -> None:
    documented("reference/recordings.md", "one that never begins is ended within two and a half minutes")
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("egress_never_starts")
    with held_clock(livekit, phase_s=phase_s) as clock:
        start_recording(talking.call)
        clock.passes(110)
        assert recorded(talking) == "starting"
        took_s = 110 + clock.until(lambda: recorded(talking) in ("storing", "canceled"), at_most_s=120)
    assert took_s <= 150


@pytest.mark.parametrize("phase_s", LATE_PHASES)
def test_a_recording_that_outlives_its_call_is_ended_within_one_and_a_half_minutes(
    livekit: RunningLiveKit, talking: Room, phase_s: int
) -> None:
    documented("reference/recordings.md", "one that outlives its call within one and a half")
    client = LiveKitClient.from_settings()
    with held_clock(livekit, phase_s=phase_s) as clock:
        start_recording(talking.call)
        soon(lambda: client.list_recordings(talking.name)[0].status is EgressStatus.ACTIVE)
        clock.passes(70)
        # Its room is not closed, as that is not the question here.
        Call.objects.update(state="completed", ended_at=timezone.now())
        took_s = clock.until(lambda: recorded(talking) in ("storing", "stored"), at_most_s=180)
    assert took_s <= 90


def test_a_recording_whose_file_is_never_stored_is_failed_half_a_minute_after_an_hour(
    livekit: RunningLiveKit, talking: Room, settings: Settings
) -> None:
    documented("reference/recordings.md", "not stored within an hour is failed within half a minute more")
    client = LiveKitClient.from_settings()
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("egress_never_ends")
    with held_clock(livekit, phase_s=29) as clock:
        start_recording(talking.call)
        soon(lambda: client.list_recordings(talking.name)[0].status is EgressStatus.ACTIVE)
        stop_recording(talking.call)
        clock.is_worker_up = False
        clock.passes(3590)
        clock.is_worker_up = True
        assert recorded(talking) == "storing"
        assert clock.until(lambda: recorded(talking) == "failed", at_most_s=120) <= 40


def test_agents_of_calls_that_are_over_are_gone_with_the_next_run(
    livekit: RunningLiveKit, harbour: Organization
) -> None:
    with held_clock(livekit, phase_s=4) as clock:
        room = open_room(livekit, harbour)
        Call.objects.update(state="missed", ended_at=timezone.now())
        assert clock.until(lambda: RoomAgent.objects.get().status == "disconnected", at_most_s=30) <= 5
        assert room.call.state == "missed"

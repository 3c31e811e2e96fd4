"""`endedAt` is when a call ended, not when we noticed: with lost, late and contradicting reports."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.rooms.services.calls import end_room_call
from telephony.tasks import catch_up_with_rooms
from voiceapp.providers.livekit.client import DEPARTURE_TIMEOUT_S, LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit, name_livekit

from .held_clock import HeldClock, held_clock
from .rooms import Room, open_room

pytestmark = pytest.mark.django_db(transaction=True)

A_SECOND = dt.timedelta(seconds=1)
DEPARTURE = dt.timedelta(seconds=DEPARTURE_TIMEOUT_S)


@pytest.fixture
def clock(livekit: RunningLiveKit) -> Iterator[HeldClock]:
    with held_clock(livekit, phase_s=3) as clock:
        yield clock


@pytest.fixture
def finish_lost(livekit: RunningLiveKit, settings: Settings) -> RunningLiveKit:
    """Everything is reported but the end of rooms."""
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("webhook_lost=room_finished")
    return livekit


def talking(livekit: RunningLiveKit, harbour: Organization, clock: HeldClock, *, for_s: int = 40) -> Room:
    """A call that has been connected for a while."""
    room = open_room(livekit, harbour)
    room.agent_comes()
    room.caller_joins()
    room.process_webhooks()
    clock.passes(for_s)
    assert room.call.state == "connected"
    return room


@pytest.fixture
def accuracy() -> Callable[[], dt.timedelta]:
    """A second, and what the test has taken so far: the simulator's clock runs meanwhile, ours stands still."""
    began_s = time.perf_counter()
    return lambda: A_SECOND + dt.timedelta(seconds=time.perf_counter() - began_s)


def ended_at(room: Room) -> dt.datetime:
    ended_at = room.call.ended_at
    assert ended_at
    return ended_at


def test_a_lost_report_of_the_end_costs_no_accuracy(
    finish_lost: RunningLiveKit, harbour: Organization, clock: HeldClock, accuracy: Callable[[], dt.timedelta]
) -> None:
    room = talking(finish_lost, harbour, clock)
    left_at = timezone.now()
    room.leaves(room.caller)
    room.process_webhooks()
    clock.until(lambda: not room.call.is_live, at_most_s=60)
    assert abs(ended_at(room) - (left_at + DEPARTURE)) <= accuracy()


@pytest.mark.parametrize("away_s", [60, 600])
def test_however_late_it_is_noticed_the_end_is_when_the_room_closed(
    finish_lost: RunningLiveKit,
    harbour: Organization,
    clock: HeldClock,
    accuracy: Callable[[], dt.timedelta],
    away_s: int,
) -> None:
    room = talking(finish_lost, harbour, clock)
    left_at = timezone.now()
    room.leaves(room.caller)
    room.process_webhooks()
    clock.is_worker_up = False
    clock.passes(away_s)
    catch_up_with_rooms()
    call = room.call
    assert call.state == "completed"
    assert abs(ended_at(room) - (left_at + DEPARTURE)) <= accuracy()
    assert call.connected_at
    assert call.duration_s == int((ended_at(room) - call.connected_at).total_seconds())
    assert call.events.get(kind="ended").at == call.events.get(kind="room_closed").at == ended_at(room)
    assert not call.participants.filter(left_at=None).exists()
    assert not call.participants.filter(left_at__gt=ended_at(room)).exists()


def test_a_room_that_stayed_empty_ended_when_its_time_was_over(
    finish_lost: RunningLiveKit, harbour: Organization, clock: HeldClock
) -> None:
    room = open_room(finish_lost, harbour, has_agent=False)
    opened_at = timezone.now()
    clock.is_worker_up = False
    clock.passes(900)
    catch_up_with_rooms()
    assert room.call.state == "missed"
    assert abs(ended_at(room) - (opened_at + dt.timedelta(seconds=600))) <= A_SECOND


def test_where_everything_was_lost_it_is_the_last_time_at_which_the_room_was_open(
    livekit: RunningLiveKit, harbour: Organization, clock: HeldClock, settings: Settings
) -> None:
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("webhook_lost")
    room = talking(livekit, harbour, clock)
    clock.is_worker_up = False
    seen_at = room.call.room_seen_at
    clock.passes(2)
    LiveKitClient.from_settings().delete_room(room.name)
    clock.passes(600)
    catch_up_with_rooms()
    assert (room.call.state, ended_at(room)) == ("completed", seen_at)


def test_no_end_is_in_the_future_or_before_the_room_was_last_seen(
    finish_lost: RunningLiveKit, harbour: Organization, clock: HeldClock
) -> None:
    room = talking(finish_lost, harbour, clock)
    room.leaves(room.caller)
    room.process_webhooks()
    clock.passes(2)
    # Closed by somebody before its time.
    LiveKitClient.from_settings().delete_room(room.name)
    closed_at = timezone.now()
    clock.until(lambda: not room.call.is_live, at_most_s=30)
    assert ended_at(room) <= timezone.now()
    assert abs(ended_at(room) - closed_at) <= dt.timedelta(seconds=5)


def test_a_report_that_comes_after_the_estimate_corrects_it(
    livekit: RunningLiveKit, harbour: Organization, clock: HeldClock, settings: Settings
) -> None:
    room = talking(livekit, harbour, clock)
    clock.is_worker_up = False
    LiveKitClient.from_settings().delete_room(room.name)
    closed_at = timezone.now()
    livekit.webhooks()  # kept, but not processed
    clock.passes(30)
    # The look comes before the events, which say more.
    catch_up_with_rooms()
    assert room.call.state == "completed"
    estimate = ended_at(room)
    assert estimate < closed_at
    room.process_webhooks()
    assert dt.timedelta(0) <= ended_at(room) - closed_at <= A_SECOND
    call = room.call
    assert (call.state, call.end_reason) == ("completed", "room_closed")
    assert call.events.get(kind="ended").at == call.events.get(kind="room_closed").at == ended_at(room)


def test_a_report_does_not_move_the_end_of_a_call_that_somebody_ended(
    livekit: RunningLiveKit, harbour: Organization, clock: HeldClock
) -> None:
    room = talking(livekit, harbour, clock)
    end_room_call(room.call, reason=EndReason.ENDED_BY_REQUEST)
    at = ended_at(room)
    clock.passes(3)
    LiveKitClient.from_settings().delete_room(room.name)
    room.process_webhooks()
    assert ended_at(room) == at


def test_a_web_process_that_comes_back_has_every_room_reconciled(
    livekit: RunningLiveKit, harbour: Organization, clock: HeldClock, settings: Settings
) -> None:
    """Also those that were checked just before, and whose number of participants is the same."""
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("webhook_lost")
    name_livekit(settings, livekit.server.fault_url("webhook_lost"))
    room = talking(livekit, harbour, clock, for_s=100)
    clock.is_worker_up = False
    room.leaves(room.caller)
    room.caller_joins()
    before = room.call.participants.count()
    catch_up_with_rooms()
    assert room.call.participants.count() == before + 1
    assert Call.objects.get().state == "connected"

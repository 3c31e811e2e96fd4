"""`kill -9` of a worker between any two steps and at any time: no event is lost, none has its effect twice."""

from __future__ import annotations

import contextlib
import functools
import time
from pathlib import Path

import pytest
from django.utils import timezone

from agents.organizations.models import Organization
from telephony.events.models import ProviderEvent
from telephony.tasks import process_events
from voiceapp.simulators.livekit.tests.running import RunningLiveKit
from voiceapp.tests.dying import Point, in_a_process_that_dies
from voiceapp.tests.worker import folder_broker, until, worker_process

from .rooms import Room, a_whole_call, check_whole_call, whole_calls

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.waits]

# Where the process dies.
POINTS: list[Point] = [
    ("voiceapp.core.jobs.engine:JobQueue", "_lease_next", "before"),
    ("voiceapp.core.jobs.engine:JobQueue", "_lease_next", "after"),
    ("voiceapp.core.jobs.engine:JobQueue", "_attempt", "before"),
    ("telephony.livekit.events", "event_of", "after"),
    ("telephony.livekit.events", "find_call_of_room", "after"),
    ("telephony.livekit.events", "_set_call", "after"),
    ("sessions.rooms.services.events", "Attendance", "after"),
    ("sessions.rooms.services.attendance", "agent_seen", "after"),
    ("sessions.rooms.services.attendance", "agent_gone", "after"),
    ("sessions.rooms.services.attendance", "together_since", "after"),
    ("sessions.rooms.services.events", "agents_gone_with", "after"),
    ("sessions.rooms.services.events", "finish_call", "before"),
    ("sessions.rooms.services.events", "finish_call", "after"),
    ("telephony.livekit.events", "enqueue_automatic_recording", "before"),
    ("telephony.livekit.events", "enqueue_automatic_recording", "after"),
    ("voiceapp.core.jobs.engine:JobQueue", "_leased", "before"),
    ("voiceapp.core.jobs.engine:JobQueue", "_attempt", "after"),
]
KILLS = 4
# LiveKit reports leaving to the second. Of a shorter call nobody knows that the two met, if the events of their coming
# fail, as on a database that is too busy, and are retried after those of their leaving.
LASTING_S = 1.1


def lease_ends() -> None:
    """What a killed worker had leased is due again after a while, and so is a retry; that is not waited for here."""
    ProviderEvent.objects.filter(state="waiting").update(lease_expires_at=None, due_at=timezone.now())


def was_tried(room: Room) -> bool:
    return ProviderEvent.objects.filter(attempts__gt=0, partition_key=room.name).exists()


@pytest.mark.parametrize("point", POINTS, ids="-".join)
def test_a_worker_killed_between_two_steps_leaves_them_to_the_next(
    livekit: RunningLiveKit, harbour: Organization, point: Point
) -> None:
    room = a_whole_call(livekit, harbour)
    deaths = 0
    while deaths < 5 and in_a_process_that_dies(process_events, point):
        deaths += 1
        lease_ends()
    assert deaths
    process_events()
    check_whole_call(room)


def worker(folder: Path) -> contextlib.AbstractContextManager[object]:
    """It has no access to LiveKit, so that everything comes from the events and nothing from reconciliation."""
    return worker_process(folder, {"CELERY_BROKER_URL": folder_broker(folder), "LIVEKIT_HOST": ""}, concurrency=2)


def test_real_workers_killed_at_any_time_lose_nothing(
    livekit: RunningLiveKit, harbour: Organization, tmp_path: Path
) -> None:
    rooms: list[Room] = []
    for number in range(KILLS):
        with worker(tmp_path):
            rooms += whole_calls(livekit, harbour, count=3, lasting_s=LASTING_S)
            until(functools.partial(was_tried, rooms[-3]))
            time.sleep(0.02 * number)
        lease_ends()
    with worker(tmp_path):
        until(lambda: not ProviderEvent.objects.exclude(state="done").exists())
    for room in rooms:
        check_whole_call(room)

"""`kill -9` of whoever works events off, between any two steps and at any moment: nothing is lost, nothing doubled."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as product
from pytest_django import Settings

from agents.models import Organization
from sessions.tests.test_kill_points import in_a_process_that_dies
from telephony.models import ProviderEvent
from telephony.tasks import work_off_events
from telephony.tests.livekit.rooms import Room, open_room
from voiceapp.tests.database import database_url
from voiceapp.tests.livekit.running import RunningLiveKit, soon

pytestmark = pytest.mark.django_db(transaction=True)

# Where the process dies: a function, and whether before or after it did its work.
POINTS = [
    ("telephony.services.inbox", "_claim_next", "before"),
    ("telephony.services.inbox", "_claim_next", "after"),
    ("telephony.services.inbox", "_try", "before"),
    ("telephony.services.livekit_events", "event_of", "after"),
    ("telephony.services.livekit_events", "find_call_of_room", "after"),
    ("telephony.services.livekit_events", "_remember", "after"),
    ("sessions.services.room_facts", "Attendance", "after"),
    ("sessions.services.attendance", "agent_seen", "after"),
    ("sessions.services.attendance", "agent_gone", "after"),
    ("sessions.services.attendance", "together_since", "after"),
    ("sessions.services.room_facts", "agents_gone_with", "after"),
    ("sessions.services.room_facts", "finish_call", "before"),
    ("sessions.services.room_facts", "finish_call", "after"),
    ("telephony.services.livekit_events", "start_wanted_recording", "before"),
    ("telephony.services.livekit_events", "start_wanted_recording", "after"),
    ("telephony.services.inbox", "_held", "before"),
    ("telephony.services.inbox", "_try", "after"),
]
KILLS = 4
WITHIN_S = 40.0


def lease_ends() -> None:
    """What a dead worker had claimed is free again after a while; that is not waited for here."""
    ProviderEvent.objects.filter(state="waiting").update(claimed_until=None)


def was_tried(room: Room) -> bool:
    return ProviderEvent.objects.filter(attempts__gt=0, lane=room.name).exists()


def a_whole_call(livekit: RunningLiveKit, harbour: Organization) -> Room:
    """All of it is told before anything is worked off."""
    room = open_room(livekit, harbour)
    room.agent_comes()
    room.caller_joins()
    room.leaves(room.caller)
    livekit.advance(21)
    livekit.webhooks()
    return room


def check(room: Room) -> None:
    call, agent = room.call, room.agent
    assert (call.state, call.end_reason) == ("completed", "room_closed")
    assert agent
    assert (agent.status, agent.joined_at is None) == ("disconnected", False)
    assert call.participants.count() == 2
    assert not call.participants.filter(left_at=None).exists()
    assert sorted(room.timeline) == sorted([
        "asked_for", "room_opened", "participant_joined agent", "participant_joined caller", "connected",
        "participant_left caller", "participant_left agent", "room_closed", "ended",
    ])  # fmt: skip


@pytest.mark.parametrize("point", POINTS, ids="-".join)
def test_a_worker_killed_between_two_steps_leaves_them_to_the_next(
    livekit: RunningLiveKit, harbour: Organization, point: tuple[str, str, str]
) -> None:
    room = a_whole_call(livekit, harbour)
    deaths = 0
    while deaths < 5 and in_a_process_that_dies(work_off_events, point):
        deaths += 1
        lease_ends()
    assert deaths
    work_off_events()
    check(room)


@contextlib.contextmanager
def worker(folder: Path, settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """`celery worker -B` with a broker in a folder, as `make run` starts it. It ends by SIGKILL, its children too."""
    (folder / "queue").mkdir(exist_ok=True)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "celery", "-A", "voiceapp", "worker", "-B", "--concurrency", "2",
            "--schedule", str(folder / "beat"), "--loglevel", "warning",
        ],
        cwd=product.BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env=os.environ | {
            "DATABASE_URL": database_url(), "CELERY_BROKER_URL": f"filesystem://{folder / 'queue'}", "REDIS_URL": "",
            "LIVEKIT_HOST": settings.LIVEKIT_HOST, "LIVEKIT_API_KEY": settings.LIVEKIT_API_KEY,
            "LIVEKIT_API_SECRET": settings.LIVEKIT_API_SECRET,
        },
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def test_real_workers_killed_at_any_moment_lose_nothing(
    livekit: RunningLiveKit, harbour: Organization, settings: Settings, tmp_path: Path
) -> None:
    rooms: list[Room] = []
    for number in range(KILLS):
        with worker(tmp_path, settings):
            rooms += [a_whole_call(livekit, harbour) for _ in range(3)]
            soon(functools.partial(was_tried, rooms[-3]), within_s=WITHIN_S)
            time.sleep(0.02 * number)
        lease_ends()
    with worker(tmp_path, settings):
        soon(lambda: not ProviderEvent.objects.exclude(state="done").exists(), within_s=WITHIN_S)
    for room in rooms:
        check(room)

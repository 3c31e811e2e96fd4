"""A clock that stands still until it is set forward: the product's, the simulator's, and the beat of the worker."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator

import time_machine
from django.utils import timezone
from django.utils.module_loading import import_string

from sessions.tasks import sweep_outbox
from telephony.tasks import (
    process_events,
    reap_lost_calls,
    reconcile_calls_in_rooms,
    reconcile_recordings_of_rooms,
)
from voiceapp.simulators.livekit.tests.running import RunningLiveKit

# By its name: an app's tests may not import what is above the apps.
WORKER = "voiceapp.celery.app"
TASKS: dict[str, Callable[[], int]] = {
    "telephony.tasks.reconcile_rooms": reconcile_calls_in_rooms,
    "telephony.tasks.reconcile_recordings": reconcile_recordings_of_rooms,
    "telephony.tasks.process_events": process_events,
    "telephony.tasks.reap_lost_calls": reap_lost_calls,
    "sessions.tasks.sweep_outbox": sweep_outbox,
}


def beat() -> dict[str, int]:
    """How often each of these tasks runs, in seconds, as the worker's schedule says."""
    schedule = {entry["task"]: entry["schedule"] for entry in import_string(WORKER).conf.beat_schedule.values()}
    return {name: int(schedule[name]) for name in TASKS}


class HeldClock:
    """`phase_s`: how long after the start the tasks run for the first time. `is_worker_up`: whether they run."""

    def __init__(self, traveller: time_machine.Traveller, livekit: RunningLiveKit | None, phase_s: int) -> None:
        self._traveller, self._livekit, self._phase_s = traveller, livekit, phase_s
        self._every_s = beat()
        self._elapsed_s = 0
        self.is_worker_up = True

    def passes(self, seconds: int) -> None:
        """From one run of a task to the next, for nothing happens between them."""
        end_s = self._elapsed_s + seconds
        while self._elapsed_s < end_s:
            waits = [(self._phase_s - self._elapsed_s - 1) % every_s + 1 for every_s in self._every_s.values()]
            self._advance(min(*waits, end_s - self._elapsed_s))

    def until(self, is_so: Callable[[], object], *, at_most_s: int) -> int:
        """Seconds until it is so."""
        for second in range(at_most_s + 1):
            if is_so():
                return second
            self._advance(1)
        raise AssertionError(f"it was not so within {at_most_s} s")

    def _advance(self, seconds: int) -> None:
        self._traveller.shift(dt.timedelta(seconds=seconds))
        self._elapsed_s += seconds
        if self._livekit:
            self._livekit.advance(seconds)
        for name, every_s in self._every_s.items():
            if self.is_worker_up and self._elapsed_s % every_s == self._phase_s % every_s:
                TASKS[name]()


@contextlib.contextmanager
def held_clock(livekit: RunningLiveKit | None = None, *, phase_s: int = 0) -> Iterator[HeldClock]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield HeldClock(traveller, livekit, phase_s)

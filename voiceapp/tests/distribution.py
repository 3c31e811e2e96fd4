"""Which process of pytest-xdist runs which file: one per core those that compute, the others those that wait. And which
test gets a core first: one that speaks and listens, whose deadlines are those of a caller's ear.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

# A process that computes yields to those whose tests speak, listen and wait for deadlines.
NICE = 5
# Of a test that speaks and of what it starts. Only root may be so impolite; without it the test is as good as its turn.
ON_TIME = -10
LISTENING = 2


def is_waiting(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("waits", "sound", "browser"))


@contextlib.contextmanager
def on_time(item: pytest.Item) -> Iterator[None]:
    """Threads and processes that begin inside get cores before those of all other tests."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    if item.get_closest_marker("sound"):
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, ON_TIME)
    try:
        yield
    finally:
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, before)


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """By files: at the front those that wait, first the longest, which speak; at the end those that compute for long,
    which begin early too.
    """
    waiting = {item.path for item in items if is_waiting(item)}
    speaking = {item.path for item in items if item.get_closest_marker("sound")}
    slow = {item.path for item in items if item.get_closest_marker("slow")} - waiting
    return sorted(items, key=lambda item: (item.path not in waiting, item.path not in speaking, item.path in slow))


def computes(worker: str, workers: int) -> bool:
    """Whether the process with this name, one of so many, is for files that compute."""
    return _number(worker) < _computing(workers)


def listens(worker: str, workers: int) -> bool:
    """Whether it is for files that speak and listen. Two at once: more would be late by each other's work."""
    return 0 <= _number(worker) - _computing(workers) < LISTENING


def _number(worker: str) -> int:
    return int(worker.removeprefix("gw"))


def _computing(workers: int) -> int:
    return min(os.cpu_count() or 1, workers // 2)


@cache
def is_speaking(file: Path) -> bool:
    """Read, not imported: the process that distributes the files knows only their names."""
    return "pytest.mark.sound" in file.read_text()


class FromBothEnds(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Those that compute take from the end, the others from the front, until they meet. Of the latter some leave those
    that speak to the others.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        worker = node.gateway.id
        if computes(worker, self.numnodes):
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        elif not listens(worker, self.numnodes):
            silent = (file for file in self.workqueue if not is_speaking(self.config.rootpath / file))
            if (file := next(silent, None)) is not None:
                self.workqueue.move_to_end(file, last=False)
        super()._assign_work_unit(node)

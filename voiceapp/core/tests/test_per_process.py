"""A value per process and key: made once, made anew in a forked child."""

from __future__ import annotations

import multiprocessing
import threading
import time

import pytest

from voiceapp.core.per_process import per_process


def test_threads_share_one_value_per_key() -> None:
    made: list[str] = []

    @per_process
    def make(name: str) -> object:
        time.sleep(0.01)
        made.append(name)
        return object()

    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(make("a"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    assert make("b") is not make("a")
    assert made == ["a", "b"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_makes_its_own_although_the_lock_was_held() -> None:
    made: list[int] = []

    @per_process
    def make() -> int:
        made.append(1)
        return len(made)

    assert make() == 1
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    with make.lock:
        child = context.Process(target=lambda: answers.put(make()))
        child.start()
    child.join(10)
    assert (child.exitcode, answers.get()) == (0, 2)
    assert make() == 1

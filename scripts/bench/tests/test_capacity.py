"""The search for the largest number of calls, with windows that are shown instead of measured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import capacity
import pytest
from calls import Calls
from capacity import Capacity, Search
from capacity_figures import judge
from frames import Faults
from load import Load, Sight


def search(window: Callable[[int], Sight | None]) -> Capacity:
    class Probe(Search):
        async def _window(self, number: int) -> Sight | None:
            return window(number)

    return asyncio.run(Probe(cast("Load", None), cast("Calls", None)).run())


def good(number: int) -> Sight:
    return Sight(calls=number, added_delay_p99_ms=2.0, core_use=0.5)


def late(number: int) -> Sight:
    return Sight(calls=number, added_delay_p99_ms=21.0, core_use=0.5)


@pytest.mark.parametrize("limit", [3, 150, 200, 333, 700])
def test_the_largest_number_of_calls_is_found(limit: int) -> None:
    found = search(lambda number: good(number) if number <= limit else late(number))
    assert limit / capacity.CLOSE_ENOUGH - 2 <= found.calls <= limit
    assert not found.is_at_least


def test_one_late_window_is_measured_again() -> None:
    windows: list[int] = []

    def noisy(number: int) -> Sight:
        windows.append(number)
        return late(number) if number > 400 or len(windows) == 1 else good(number)

    assert search(noisy).calls > 370
    assert windows[:2] == [capacity.FIRST, capacity.FIRST]


def test_a_busy_machine_gets_more_time() -> None:
    windows: list[int] = []

    def noisy(number: int) -> Sight:
        windows.append(number)
        return replace(late(number), elsewhere_use=0.5) if number > 400 or len(windows) < 3 else good(number)

    assert search(noisy).calls > 370


@pytest.mark.parametrize(
    "bad",
    [Sight(faults=Faults(lost=1)), Sight(calls_failed=1), Sight(strange_messages=1), None],
    ids=["a frame was lost", "a call failed", "a clear was sent", "a ring was refused"],
)
def test_what_goes_wrong_is_too_much(bad: Sight | None) -> None:
    assert 370 < search(lambda number: good(number) if number <= 400 else bad).calls <= 400


def test_a_limit_of_the_load_is_no_limit_of_the_process() -> None:
    found = search(lambda number: Sight(calls=number, added_delay_p99_ms=2.0, core_use=0.8 if number < 400 else 0.81))
    assert 370 < found.calls < 400
    assert found.is_at_least
    assert "ours may carry more" in judge(found, Capacity(calls=500), bar="")[0].note


def test_a_search_ends_at_the_most_calls() -> None:
    found = search(good)
    assert found.calls == capacity.MOST
    assert found.is_at_least


def test_the_price_of_a_call_leads_to_the_number_of_calls() -> None:
    windows: list[int] = []

    class Priced(Search):
        async def _window(self, number: int) -> Sight | None:
            windows.append(number)
            seen = replace(good(number) if number <= 450 else late(number), cpu_ms_per_call_second=2.0)
            self._found.probes.append(seen)
            return seen

    found = asyncio.run(Priced(cast("Load", None), cast("Calls", None)).run())
    assert windows[:3] == [capacity.FIRST, capacity.SECOND, 450]
    assert found.calls == 450


def test_what_is_far_too_late_is_not_measured_again() -> None:
    windows: list[int] = []

    def hopeless(number: int) -> Sight:
        windows.append(number)
        return replace(late(number), added_delay_p99_ms=200.0) if number > 400 else good(number)

    search(hopeless)
    assert len(windows) == len(set(windows))

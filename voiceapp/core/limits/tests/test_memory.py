"""Counters in memory: none is evicted while it lives, none is kept when it is over, and there is an end to them."""

from __future__ import annotations

import time

import pytest
import time_machine
from django.core.cache import caches
from pytest_django import Settings

from voiceapp.core.limits import counters_in_memory
from voiceapp.core.limits.counters_in_memory import Counters, CountersFull, CountersInMemory
from voiceapp.core.limits.counting import count
from voiceapp.core.limits.limit import SESSION_CREATION
from voiceapp.core.limits.models import LimitCount

from .conftest import MEMORY, NOW
from .crowd import at_once


@pytest.mark.usefixtures("in_memory", "held_clock")
def test_a_thousand_other_keys_do_not_evict_a_counter() -> None:
    for _ in range(SESSION_CREATION.rate.count):
        assert not count(SESSION_CREATION, "subject:alice").is_exceeded
    for number in range(1000):
        count(SESSION_CREATION, f"subject:{number}")
    assert count(SESSION_CREATION, "subject:alice").is_exceeded


@pytest.mark.usefixtures("held_clock")
def test_djangos_own_memory_cache_would_have_evicted_it(settings: Settings) -> None:
    # Why there is a backend of our own; when this fails, Django's would do.
    settings.CACHES = {"limits": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "evicts"}}
    for _ in range(SESSION_CREATION.rate.count):
        count(SESSION_CREATION, "subject:alice")
    for number in range(1000):
        count(SESSION_CREATION, f"subject:{number}")
    assert count(SESSION_CREATION, "subject:alice").used == 1


def test_what_is_over_is_forgotten() -> None:
    counters = Counters()
    with time_machine.travel(NOW, tick=False) as clock:
        for number in range(100):
            counters.add(f"old{number}", 1, time.time() + 60)
        counters.add("longer", 1, time.time() + 120)
        clock.shift(61)
        assert counters.get("old1") is None
        assert len(counters) == 1
        assert counters.increase("longer", 1) == 2
        with pytest.raises(KeyError):
            counters.increase("old1", 1)


class Hesitant(dict[str, int]):
    """Lets other threads run between a look and what follows it, where the interpreter seldom does."""

    def __contains__(self, key: object) -> bool:
        is_there = super().__contains__(key)
        time.sleep(0.001)
        return is_there

    def __getitem__(self, key: str) -> int:
        count = super().__getitem__(key)
        time.sleep(0.001)
        return count


@pytest.fixture
def counters() -> Counters:
    counters = Counters()
    counters._counts = Hesitant()
    return counters


def test_threads_lose_no_count(counters: Counters) -> None:
    counters.add("key", 0, time.time() + 60)
    assert sorted(at_once(32, lambda: counters.increase("key", 1))) == list(range(1, 33))


def test_only_one_thread_makes_a_counter(counters: Counters) -> None:
    assert sum(at_once(32, lambda: counters.add("key", 1, time.time() + 60))) == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("held_clock")
def test_when_memory_is_full_new_counters_are_kept_in_the_database(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CACHES = {"limits": MEMORY | {"LOCATION": "full"}}
    monkeypatch.setattr(counters_in_memory, "MAX_COUNTERS", 2)
    for who in ("subject:1", "subject:2", "subject:3"):
        assert [count(SESSION_CREATION, who).used for _ in range(3)] == [1, 2, 3]
    assert [row.used for row in LimitCount.objects.all()] == [3]
    with pytest.raises(CountersFull):
        caches["limits"].add("another", 1, 60)


def test_a_counter_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="a timeout"):
        CountersInMemory("endless", {}).add("key", 1, None)


def test_every_object_of_an_alias_counts_in_the_same_place() -> None:
    first, second = CountersInMemory("shared", {}), CountersInMemory("shared", {})
    assert first.add("key", 1, 60)
    assert not second.add("key", 1, 60)
    assert second.incr("key") == first.get("key") == 2
    assert CountersInMemory("other", {}).get("key") is None
    first.clear()
    with pytest.raises(ValueError, match="no counter"):
        second.incr("key")

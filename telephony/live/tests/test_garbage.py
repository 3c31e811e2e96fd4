"""When garbage is collected beside live calls: rarely, since no frame leaves meanwhile."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from telephony.live import garbage
from telephony.live.garbage import GarbageCollection
from telephony.live.registry import LiveCalls

USUAL = gc.get_threshold()


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """An entry per full collection."""
    done: list[bool] = []
    monkeypatch.setattr(gc, "collect", lambda: done.append(True))
    yield done
    gc.set_threshold(*USUAL)


def test_full_collections_wait_while_calls_are_live(collected: list[bool]) -> None:
    collection = GarbageCollection()
    collection.first_call_began(0.0)
    assert gc.get_threshold() == (*USUAL[:2], garbage.NEVER)
    collection.tick(1.0)
    collection.last_call_ended()

    assert gc.get_threshold() == USUAL
    assert not collected


def test_what_many_ended_calls_have_left_is_collected_once(collected: list[bool]) -> None:
    collection = GarbageCollection()
    collection.first_call_began(0.0)
    for _ in range(garbage.CALLS):
        collection.call_ended()
    collection.tick(1.0)
    collection.tick(1.1)

    assert collected == [True]


def test_pages_leave_something_too(collected: list[bool]) -> None:
    collection = GarbageCollection()
    collection.first_call_began(0.0)
    collection.tick(garbage.AFTER_S)
    collection.tick(garbage.AFTER_S + 0.1)

    assert collected == [True]


@dataclass(frozen=True)
class Call:
    call_id: UUID


@pytest.mark.asyncio
async def test_the_first_and_the_last_call_of_a_process_decide(collected: list[bool]) -> None:
    calls = LiveCalls()
    calls.garbage = GarbageCollection()
    first, second = Call(uuid4()), Call(uuid4())
    calls.add(first, None)  # type: ignore[arg-type]
    calls.add(second, None)  # type: ignore[arg-type]
    calls.remove(first)  # type: ignore[arg-type]
    assert gc.get_threshold()[2] == garbage.NEVER
    calls.remove(second)  # type: ignore[arg-type]

    assert gc.get_threshold() == USUAL

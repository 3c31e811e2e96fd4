"""Facts are written in order, in batches, and retried while the database is unreachable."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from django.db import OperationalError

from sessions.calls import fact_recorder
from sessions.calls.fact_recorder import FactRecorder
from sessions.calls.facts import Fact, SomethingHappened

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact_recorder, "GATHER_S", 0.01)
    monkeypatch.setattr(fact_recorder, "TRY_AGAIN_AFTER_S", 0.01)


class Book:
    """What was written; the first `failures` times the database is away."""

    def __init__(self, failures: int = 0, fault: type[Exception] = OperationalError) -> None:
        self.batches: list[list[int]] = []
        self.failures = failures
        self.fault = fault

    async def write(self, facts: Sequence[Fact]) -> None:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise self.fault("away")
        self.batches.append([fact.at_ms for fact in facts if isinstance(fact, SomethingHappened)])

    @property
    def written(self) -> list[int]:
        return [number for batch in self.batches for number in batch]

    async def has_written(self, facts: int) -> None:
        async with asyncio.timeout(15):
            while len(self.written) < facts:
                await asyncio.sleep(0.01)

    async def has_failed(self) -> None:
        async with asyncio.timeout(15):
            while self.failures:
                await asyncio.sleep(0.01)


async def test_facts_that_come_together_are_one_batch() -> None:
    book = Book()
    recorder = FactRecorder(book.write)
    running = asyncio.create_task(recorder.run())
    for number in range(5):
        recorder.add(SomethingHappened("x", number))
    await book.has_written(5)
    recorder.close()
    await running

    assert book.batches == [[0, 1, 2, 3, 4]]


async def test_closing_writes_what_is_left() -> None:
    book = Book()
    recorder = FactRecorder(book.write)
    recorder.add(SomethingHappened("x", 7))
    recorder.close()

    await recorder.run()

    assert book.written == [7]


async def test_facts_keep_their_order_over_failures() -> None:
    book = Book(failures=2)
    recorder = FactRecorder(book.write)
    running = asyncio.create_task(recorder.run())
    for number in range(6):
        recorder.add(SomethingHappened("x", number))
        await asyncio.sleep(0.008)
    recorder.close()
    await running

    assert book.written == [0, 1, 2, 3, 4, 5]


async def test_a_batch_that_cannot_be_written_does_not_keep_the_next_from_its_turn() -> None:
    book = Book(failures=fact_recorder.MOST_TRIES)
    recorder = FactRecorder(book.write)
    running = asyncio.create_task(recorder.run())
    recorder.add(SomethingHappened("x", 1))
    await book.has_failed()
    recorder.add(SomethingHappened("x", 2))
    recorder.close()
    await running

    assert book.written == [2]


async def test_a_fault_of_ours_costs_one_batch(in_no_time: None) -> None:
    book = Book(failures=1, fault=TypeError)
    recorder = FactRecorder(book.write)
    running = asyncio.create_task(recorder.run())
    recorder.add(SomethingHappened("x", 1))
    await book.has_failed()
    recorder.add(SomethingHappened("x", 2))
    recorder.close()
    await running

    assert book.written == [2]


async def test_nothing_to_write_ends_at_once() -> None:
    recorder = FactRecorder(Book().write)
    recorder.close()

    await asyncio.wait_for(recorder.run(), 1)


async def test_the_end_of_a_call_does_not_wait_for_more_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact_recorder, "GATHER_S", 60)
    book = Book()
    recorder = FactRecorder(book.write)
    running = asyncio.create_task(recorder.run())
    recorder.add(SomethingHappened("x", 1))
    await asyncio.sleep(0)  # it gathers now

    recorder.close()

    await asyncio.wait_for(running, 5)
    assert book.written == [1]

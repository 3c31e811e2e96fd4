"""Threads that keep their database connections."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from django.db import Error, connection

from voiceapp.core import database_threads
from voiceapp.core.database_threads import DatabaseThreads
from voiceapp.tests.database import other_connections
from voiceapp.tests.waiting import soon

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest_asyncio.fixture
async def threads() -> AsyncIterator[DatabaseThreads]:
    made = DatabaseThreads(1, name="test")
    yield made
    await asyncio.to_thread(made.close)


def query() -> int:
    """The identity of the connection that answered."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return id(connection.connection)


def break_connection() -> None:
    connection.connection.close()


async def test_a_connection_is_kept_from_one_work_to_the_next(threads: DatabaseThreads) -> None:
    assert len({await threads.run(query) for _ in range(5)}) == 1


async def test_no_more_threads_run_than_were_asked_for() -> None:
    few = DatabaseThreads(3, name="test")
    running, most = 0, 0
    lock, together = threading.Lock(), threading.Event()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if most == 3:
                together.set()
        together.wait(5)
        query()
        with lock:
            running -= 1

    await asyncio.gather(*(few.run(work) for _ in range(20)))
    await asyncio.to_thread(few.close)
    assert most == 3


@pytest.mark.skipif(connection.vendor == "sqlite", reason="connections of SQLite do not break by themselves")
async def test_after_an_error_of_the_database_a_broken_connection_is_replaced(threads: DatabaseThreads) -> None:
    await threads.run(query)
    await threads.run(break_connection)
    with pytest.raises(Error):
        await threads.run(query)
    await threads.run(query)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="nobody else can end a connection of SQLite")
async def test_a_connection_that_was_ended_while_it_was_idle_is_replaced_before_it_is_used(
    threads: DatabaseThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_threads, "TEST_AFTER_IDLE_S", 0.0)
    await threads.run(query)
    await threads.run(break_connection)
    await threads.run(query)


async def test_closing_leaves_no_connection_and_later_work_starts_anew(threads: DatabaseThreads) -> None:
    before = await asyncio.to_thread(other_connections_of_a_thread)
    await threads.run(query)
    await asyncio.to_thread(threads.close)
    # PostgreSQL lists a connection until its own process has ended.
    await asyncio.to_thread(soon, lambda: other_connections_of_a_thread() <= before)
    assert await threads.run(query)


def other_connections_of_a_thread() -> frozenset[int]:
    try:
        return other_connections()
    finally:
        connection.close()

"""The database process: its messages, what it raises, and what it counts. Calls with one: telephony/live/tests."""

from __future__ import annotations

import asyncio
import pickle
from collections import Counter as Sums
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry, Counter, Histogram

from telephony.twilio.services.streams import TokenRefused
from voiceapp.core import database_process
from voiceapp.core.database_process import DatabaseProcess, Framed
from voiceapp.core.database_threads import DatabaseThreads, ProcessLost
from voiceapp.core.metrics import DatabaseProcessSamples, Samples

asynchronous = pytest.mark.asyncio


def test_messages_are_found_wherever_the_stream_is_cut() -> None:
    sent = bytearray()
    received: list[object] = []

    class Wire(asyncio.WriteTransport):
        def write(self, data: bytes | bytearray | memoryview) -> None:
            sent.extend(data)

    writer = Framed(received.append, lambda: None)
    writer.connection_made(Wire())
    messages = [{"a": 1}, "", "x" * 300, None]
    for message in messages:
        writer.send(message)

    for size in range(1, 12):
        received.clear()
        reader = Framed(received.append, lambda: None)
        for at in range(0, len(sent), size):
            reader.data_received(bytes(sent[at : at + size]))
        assert received == messages


def test_a_refusal_arrives_as_it_was_raised() -> None:
    refusal = pickle.loads(pickle.dumps(TokenRefused("used")))

    assert (type(refusal), refusal.reason) == (TokenRefused, "used")


# Stands for the application, which takes seconds to load: it does as the worker does, in this module's words.
WORKER = """
import asyncio, os, socket, sys
from voiceapp.core.database_process import Framed, Ready, Response
async def main():
    over = asyncio.Event()
    wire = Framed(lambda request: answer(request), over.set)
    def answer(request):
        if request.work.args == ("die",):
            os._exit(1)
        wire.send(Response(request.number, request.work(*())))
    await asyncio.get_running_loop().create_unix_connection(lambda: wire, sock=socket.socket(fileno=int(sys.argv[1])))
    wire.send(Ready())
    await over.wait()
asyncio.run(main())
"""


@pytest_asyncio.fixture
async def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DatabaseProcess]:
    (tmp_path / "worker.py").write_text(WORKER)
    monkeypatch.setattr(database_process, "WORKER", (str(tmp_path / "worker.py"),))
    monkeypatch.setattr(database_process, "WAIT_S", 0.01)
    made = DatabaseProcess(give_up=lambda: given_up.append(True))
    made.start()
    await made.connect()
    await made.wait_until_ready()
    yield made
    await made.close()
    assert DatabaseThreads.elsewhere is None


given_up: list[bool] = []


@pytest.fixture
def threads() -> Iterator[DatabaseThreads]:
    made = DatabaseThreads(1, name="test")
    yield made
    made.close()


@asynchronous
async def test_work_is_done_there(process: DatabaseProcess, threads: DatabaseThreads) -> None:
    assert await threads.run(pow, 2, 5) == 32


@asynchronous
async def test_work_in_a_process_that_ends_fails_and_the_next_one_does_later_work(
    process: DatabaseProcess, threads: DatabaseThreads
) -> None:
    with pytest.raises(ProcessLost):
        await threads.run(len, "die")

    assert await threads.run_again(pow, 2, 5) == 32
    assert not given_up


@asynchronous
async def test_a_process_that_ends_again_and_again_is_given_up(
    process: DatabaseProcess, threads: DatabaseThreads
) -> None:
    for _ in range(database_process.MOST_SHORT_LIVES):
        with pytest.raises(ProcessLost):
            await threads.run(len, "die")

    await threads.run(pow, 2, 5)
    assert given_up
    given_up.clear()


def test_counts_of_both_processes_are_added_and_those_of_ended_ones_kept() -> None:
    registry = CollectorRegistry()
    refused = Counter("refused", "", ["reason"], registry=registry)
    seconds = Histogram("seconds", "", buckets=(1,), registry=registry)
    refused.labels("used").inc(2)
    seconds.observe(0.5)
    there = DatabaseProcessSamples()
    there.now = Samples(Sums({("refused_total", (("reason", "used"),)): 3.0, ("seconds_count", ()): 4.0}))
    there.keep()
    there.now = Samples(
        Sums({("refused_total", (("reason", "full"),)): 1.0, ("refused_total", (("reason", "used"),)): 1.0})
    )

    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in there.added_to(registry.collect())
        for sample in family.samples
    }

    assert samples["refused_total", "used"] == 6
    assert samples["refused_total", "full"] == 1
    assert samples["seconds_count",] == 5

"""Calls that operators of another process read along: what the carrying process pays, and how soon words are there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlsplit
from uuid import UUID

from calls import Calls
from connection import Connection
from handshake import open_websocket
from load import Audience, Load, Sight, percentile

SETTLE_S = 3.0
TURNS = 6
MASK = b"\x31\x41\x59\x26"
LIST = "/admin/live/feed"


@dataclass(slots=True)
class Watched:
    """The same calls while they are watched and while they are not, in turn: those of one place in the two lists were
    measured one right after the other, the watched ones before in every second pair.

    Times are from the provider's frame to the browser's.
    """

    unwatched: list[Sight]
    watched: list[Sight]
    captions: int
    caption_p50_ms: float
    caption_p95_ms: float
    calls_without_captions: int


class Reader(Connection):
    """A browser on the page of a live call."""

    def __init__(self) -> None:
        super().__init__(key=MASK)
        self.late_ms: array[float] = array("d")

    def on_text(self, message: bytes) -> None:
        """The last word of what the agent says is when the provider said it."""
        frame = json.loads(message)
        if frame["event"] == "caption" and (stamps := frame["caption"]["text"].split()):
            with contextlib.suppress(ValueError):
                self.late_ms.append((perf_counter() - float(stamps[-1])) * 1000)

    def on_strange_frame(self) -> None:
        """It looks at captions alone."""

    def on_disconnected(self) -> None:
        """At the end."""


async def play(load: Load) -> Watched:
    plan = load.plan
    unwatched: list[Sight] = []
    watched: list[Sight] = []
    late_ms = array("d")
    silent = 0
    window_s = plan.seconds / 2  # the machine's own speed changes within seconds, too
    async with load.open():
        await load.warm_up()
        async with Calls(load, max(plan.calls)) as calls:
            await calls.ring(max(plan.calls))
            for _ in range(TURNS):
                await asyncio.sleep(SETTLE_S)
                unwatched.append(await load.measure(calls, window_s))
                async with _readers(load, plan.audience) as readers:
                    await asyncio.sleep(SETTLE_S)
                    for reader in readers:
                        del reader.late_ms[:]
                    watched += [await load.measure(calls, window_s) for _ in range(2)]
                    for reader in readers:
                        late_ms.extend(reader.late_ms)
                    silent = max(silent, len(calls.live) - sum(bool(reader.late_ms) for reader in readers))
                await asyncio.sleep(SETTLE_S)
                unwatched.append(await load.measure(calls, window_s))
        await load.sum_up(*unwatched, *watched)
    return Watched(unwatched, watched, len(late_ms), percentile(late_ms, 50), percentile(late_ms, 95), silent)


@asynccontextmanager
async def _readers(load: Load, audience: Audience) -> AsyncIterator[list[Reader]]:
    """One for each call that is live; the operators share them. And each operator has the list of calls open."""
    readers = []
    for number, call_id in enumerate(_live_calls(audience.database)):
        reader = Reader()
        headers = _headers(audience, number)
        wire, early = await open_websocket(f"ws{audience.address.removeprefix('http')}/ws/live-call/{call_id}", headers)
        reader.connect(load.sockets, wire)
        reader.receive(early)
        readers.append(reader)
    lists = [asyncio.create_task(_follow_list(audience, number)) for number in range(len(audience.sessions))]
    try:
        yield readers
        for each in lists:
            if each.done():
                each.result()
    finally:
        for each in lists:
            each.cancel()
        for reader in readers:
            reader.say_goodbye()
        await asyncio.sleep(1)
        for reader in readers:
            reader.disconnect()


def _live_calls(database: str) -> list[UUID]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT id FROM voice_sessions_call WHERE state = 'connected'").fetchall()
    return [UUID(row[0]) for row in rows]


def _headers(audience: Audience, number: int) -> dict[str, str]:
    session = audience.sessions[number % len(audience.sessions)]
    return {"Cookie": f"sessionid={session}", "Origin": audience.address}


async def _follow_list(audience: Audience, number: int) -> None:
    address = urlsplit(audience.address)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        lines = {"Host": address.netloc, **_headers(audience, number)}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"GET {LIST} HTTP/1.1\r\n{head}\r\n".encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(f"the list of live calls: {status!r}")
        while await reader.read(1 << 16):
            pass
    finally:
        writer.close()

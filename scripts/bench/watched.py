"""Calls that operators of another process read along, beside as many that nobody does, and then the other way round:
what the carrying process pays, and how soon words are there.
"""

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
from side_by_side import Side, in_both, measure, sides_of

SETTLE_S = 3.0
TURNS = 6
# What was rung is connected, and written.
CONNECTED_S = 1.0
MASK = b"\x31\x41\x59\x26"
LIST = "/admin/live/feed"


@dataclass(slots=True)
class Watched:
    """Those of one place in the two lists were measured at the same time, each in both processes.

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
    """Half of the plan's calls are watched, half of them not. Its seconds are those of two windows."""
    seen = Watched([], [], 0, 0, 0, 0)
    late_ms = array("d")
    sides = sides_of(load)
    ids: list[set[UUID]] = []
    async with load.open():
        await load.warm_up()
        async with Calls(load, max(load.plan.calls)) as calls:
            for side in sides:
                await side.ring(load, calls, max(load.plan.calls) // 2)
                await asyncio.sleep(CONNECTED_S)
                ids.append(_live_calls(load.plan.audience.database).difference(*ids))
            both = list(zip(sides, ids, strict=True))
            for _ in range(TURNS):
                one, other = [await _window(load, calls, each, seen, late_ms) for each in (both, both[::-1])]
                seen.watched.append(in_both(one[0], other[0]))
                seen.unwatched.append(in_both(one[1], other[1]))
        await load.sum_up(*seen.unwatched, *seen.watched)
    seen.captions, seen.caption_p50_ms, seen.caption_p95_ms = len(late_ms), *(percentile(late_ms, n) for n in (50, 95))
    return seen


async def _window(
    load: Load, calls: Calls, both: list[tuple[Side, set[UUID]]], found: Watched, late_ms: array[float]
) -> list[Sight]:
    """The calls of the first process are watched."""
    async with _readers(load, both[0][1]) as readers:
        await asyncio.sleep(SETTLE_S)
        for reader in readers:
            del reader.late_ms[:]
        seen = await measure(load, calls, [side for side, _ in both], load.plan.seconds / 2)
        silent = 0
        for reader in readers:
            late_ms.extend(reader.late_ms)
            silent += not reader.late_ms
    found.calls_without_captions = max(found.calls_without_captions, silent)
    return seen


@asynccontextmanager
async def _readers(load: Load, call_ids: set[UUID]) -> AsyncIterator[list[Reader]]:
    """One for each of these calls; the operators share them. And each operator has the list of calls open."""
    audience, readers = load.plan.audience, []
    for number, call_id in enumerate(call_ids):
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


def _live_calls(database: str) -> set[UUID]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT id FROM voice_sessions_call WHERE state = 'connected'").fetchall()
    return {UUID(row[0]) for row in rows}


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

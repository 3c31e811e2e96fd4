"""A second AI provider with a protocol of its own: its dialect, its link and a server that speaks it.

From the server: `ready`, `audio` (item, mulaw), `said` (item, text), `done`, `turn` (id, text). To the server: `audio`
(mulaw), `say` (text; empty: the model's own answer), `cut` (item, ms), `stop`, `past` (lines: all there was before the
session), `typed` (text).
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from sessions.calls.briefing import Briefing
from telephony.bridge.core.actions import LinkLoss
from telephony.bridge.core.agent_item import AgentItem
from telephony.bridge.core.events import (
    AgentEvent,
    AgentReady,
    AgentText,
    AudioCompleted,
    CallerTranscribed,
    Outcome,
    Purpose,
    ResponseBegan,
    ResponseEnded,
    SpeechStarted,
    SpeechStopped,
    TurnCommitted,
)
from telephony.bridge.core.ports import BadFrame
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.transcript import Past, PastLine
from telephony.live.links import ProviderLink
from telephony.live.provider import Provider

TONE = bytes(range(0x20, 0x20 + 80)) * 2  # 20 ms that can be heard


class TinyDialect:
    """An AgentDialect: one response at a time, the next when the one before is done."""

    is_spoken = False
    expects_own_answer = False
    awaits_truncation = False
    awaits_update = False

    def __init__(self, clock: StreamClock) -> None:
        self.frames: list[str] = []
        self.is_ready = False
        self._clock = clock
        self._wanted: deque[tuple[Purpose, str]] = deque()
        self._active: tuple[Purpose, str] | None = None
        self._is_open = False
        self._session = 0
        self._items: dict[str, AgentItem] = {}
        self._lines: dict[str, str] = {}

    @property
    def is_due(self) -> bool:
        return self.has_response or bool(self._wanted)

    @property
    def has_response(self) -> bool:
        return self._active is not None

    def hear(self, payload: str, size_bytes: int, /) -> None:
        if self._is_open:
            self._send("audio", mulaw=payload)

    def receive(self, text: str) -> tuple[AgentItem, str] | list[AgentEvent] | None:
        try:
            frame: dict[str, Any] = json.loads(text)
            match frame["kind"]:
                case "ready":
                    self.is_ready = True
                    return [AgentReady()]
                case "audio":
                    item = self._item(frame["item"])
                    return None if item.is_dropped or self._active is None else (item, frame["mulaw"])
                case "said":
                    return [AgentText(self._item(frame["item"]).line_id, frame["text"], is_whole=True)]
                case "done":
                    return self._done(frame["item"])
                case "turn":
                    return self._turn(frame["id"], frame["text"])
        except (ValueError, KeyError, TypeError) as exc:
            raise BadFrame from exc
        return []

    def is_about_response(self, text: str) -> bool:
        return text.startswith(('{"kind": "audio"', '{"kind": "said"', '{"kind": "done"'))

    def is_fatal(self, loss: LinkLoss) -> bool:
        return loss.reason == "no such agent"

    def wait_ms(self, loss: LinkLoss) -> int | None:
        return None

    def respond(self, purpose: Purpose, say: str = "", *, in_other_words: bool = False) -> None:
        self._wanted.append((purpose, say))
        self._advance()

    def forget(self, *purposes: Purpose) -> None:
        self._wanted = deque(wanted for wanted in self._wanted if wanted[0] not in purposes)

    def stop_talking(self, *, server_stops_itself: bool) -> None:
        for item in self._items.values():
            item.is_dropped = item.is_dropped or not item.is_complete
        if self._active is not None:
            self._send("stop")

    def truncate(self, item: AgentItem, heard_ms: int, heard_text: str) -> None:
        if item.session == self._session:
            self._send("cut", item=item.item_id, ms=heard_ms)
        elif self.is_ready:
            self._lines[item.line_id] = f"agent: {heard_text}"
            self._send("past", lines=list(self._lines.values()))

    def caller_typed(self, text: str) -> None:
        self._send("typed", text=text)

    def hint(self, text: str) -> None:
        self._send("hint", text=text)

    def answer_tool(self, request_id: str, output: str, *, is_farewell: bool) -> None:
        raise NotImplementedError("this provider has no tools")

    def answer_overdue(self) -> None:
        self.respond(Purpose.ANSWER)

    def end_turn(self, *, is_answered: bool) -> None:
        if is_answered:
            self.respond(Purpose.ANSWER)

    def give_up_response(self) -> list[AgentEvent]:
        stuck, self._active = self._active, None
        return [] if stuck is None else [ResponseEnded(*stuck, Outcome.FAILED, "stuck")]

    def truncation_overdue(self) -> None:
        """This protocol confirms nothing."""

    def update_overdue(self) -> bool:
        return False

    def replay(self, past: Sequence[Past]) -> None:
        lines = [entry for entry in past if isinstance(entry, PastLine)]
        self._lines = {line.line_id: f"{line.speaker}: {line.text}" for line in lines}
        self._send("past", lines=list(self._lines.values()))

    def let_caller_in(self) -> None:
        self._is_open = True
        self._advance()

    def release_greeting(self) -> None:
        """Nothing to change in the session."""

    def link_closed(self) -> None:
        self._session += 1
        self.is_ready = self._is_open = False
        self._active = None
        self._items.clear()
        self.frames.clear()

    def _item(self, item_id: str) -> AgentItem:
        if item_id not in self._items:
            self._items[item_id] = AgentItem(item_id, session=self._session, line_id=f"{self._session}.{item_id}")
        return self._items[item_id]

    def _done(self, item_id: str) -> list[AgentEvent]:
        ended, self._active = self._active, None
        item = self._item(item_id)
        events: list[AgentEvent] = [] if item.is_dropped else [AudioCompleted(item)]
        if ended is not None:
            outcome = Outcome.CANCELLED if item.is_dropped else Outcome.COMPLETED
            events.append(ResponseEnded(*ended, outcome, is_audible=item.has_begun))
        self._advance()
        return events

    def _turn(self, turn_id: str, text: str) -> list[AgentEvent]:
        at_ms = self._clock.now_ms
        self.respond(Purpose.ANSWER)
        return [
            SpeechStarted(turn_id, max(0, at_ms - 200)),
            SpeechStopped(turn_id, at_ms),
            TurnCommitted(turn_id),
            CallerTranscribed(turn_id, text),
            ResponseBegan(Purpose.ANSWER),
        ]

    def _advance(self) -> None:
        if self._is_open and self._active is None and self._wanted:
            self._active = self._wanted.popleft()
            self._send("say", text=self._active[1])

    def _send(self, kind: str, **fields: object) -> None:
        self.frames.append(json.dumps({"kind": kind, **fields}))


class TinyServer:
    """Says every text it is given with a tone; a caller's turn is what `turn` puts into it."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[dict[str, Any]] = []
        self.tone_frames = 15
        self._socket: ServerConnection | None = None
        self._count = 0

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.received if frame["kind"] == kind]

    async def turn(self, text: str) -> None:
        self._count += 1
        await self._send("turn", id=f"turn-{self._count}", text=text)

    async def drop(self) -> None:
        if self._socket is not None:
            await self._socket.close(1011, "restart")

    async def serve(self, socket: ServerConnection) -> None:
        self._socket = socket
        await self._send("ready")
        speaking: asyncio.Task[None] | None = None
        async for text in socket:
            frame = json.loads(text)
            self.received.append(frame)
            if frame["kind"] == "say":
                speaking = asyncio.create_task(self._say(frame["text"] or "My own words."))
        if speaking is not None:
            speaking.cancel()

    async def _say(self, text: str) -> None:
        self._count += 1
        item = f"item-{self._count}"
        mulaw = base64.b64encode(TONE).decode()
        for _ in range(self.tone_frames):
            await self._send("audio", item=item, mulaw=mulaw)
        await self._send("said", item=item, text=text)
        await self._send("done", item=item)

    async def _send(self, kind: str, **fields: object) -> None:
        assert self._socket is not None
        await self._socket.send(json.dumps({"kind": kind, **fields}))


@asynccontextmanager
async def tiny_server() -> AsyncIterator[TinyServer]:
    server = TinyServer()
    async with serve(server.serve, "127.0.0.1", 0, compression=None) as listening:
        server.url = f"ws://127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}/"
        yield server


def tiny_provider(url: str, briefing: Briefing) -> Provider:
    """The line that a provider adds to the factory."""
    link = partial(ProviderLink, url, {"X-Agent": briefing.voice}, audio_prefix='{"kind": "audio"')
    return Provider(make_dialect=TinyDialect, make_link=link)

"""A dialer whose microphone and speaker run on one clock, as those of a real one do, and which keeps what both had."""

from __future__ import annotations

import asyncio
import base64
import json

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from voiceapp.simulators.twilio.playout import PlayoutQueue

from .dialer import Dialer

FRAME_MS = 20
FRAME = 160
SILENCE = b"\xff" * FRAME


class SteadyDialer(Dialer):
    """`said` and `heard` are µ-law from the stream's first ms on; `speech` is what it says next."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.said = bytearray()
        self.speech = bytearray()
        self._playout = PlayoutQueue()

    @property
    def now_ms(self) -> int:
        return len(self.said) // 8

    @property
    def has_played_all(self) -> bool:
        """What came, the silence at its end included, was played and confirmed."""
        return not (self._playout.queued_ms or self._playout.awaits_marks)

    async def until_heard(self, ms: int, *, within_s: float = 20) -> None:
        """That much sound of the agent's has been played in all."""
        async with asyncio.timeout(within_s):
            while len(self.heard.replace(b"\xff", b"")) < ms * 8:
                await asyncio.sleep(0.01)

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for number in range(1_000_000):
            self.heard += self._playout.next_frame(number * FRAME_MS)
            await self._echo_due()
            frame = SILENCE if self.is_away else bytes(self.speech[:FRAME]).ljust(FRAME, b"\xff")
            del self.speech[:FRAME]
            self.said += frame
            media = {
                "track": "inbound",
                "chunk": str(number + 1),
                "timestamp": str(number * FRAME_MS),
                "payload": base64.b64encode(frame).decode(),
            }
            await self.send(
                {"event": "media", "sequenceNumber": str(number + 2), "streamSid": self.stream_sid, "media": media}
            )
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0, due - loop.time()))

    async def _play(self) -> None:
        """The one clock does."""

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            while True:
                message = json.loads(await socket.recv())
                self.count(message)
                match message["event"]:
                    case "media":
                        self._playout.add(base64.b64decode(message["media"]["payload"], validate=True))
                    case "mark":
                        self._playout.mark(message["mark"]["name"])
                        await self._echo_due()
                    case "clear":
                        self._playout.clear()
                        await self._echo_due()
                    case _:
                        self.others.append(message)
        except ConnectionClosed as closed:
            self.close_code = closed.rcvd.code if closed.rcvd is not None else None
        finally:
            self.closed.set()

    async def _echo_due(self) -> None:
        for name in self._playout.due_marks():
            await self._echo(name)

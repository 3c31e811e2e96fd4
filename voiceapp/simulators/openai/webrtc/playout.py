"""What the agent says in a WebRTC call, in real time: the server itself knows what was heard."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from aiortc import MediaStreamTrack
from av import AudioFrame

RATE = 24000
_FRAME_MS = 20
_BYTES_PER_MS = RATE // 1000 * 2
_FRAME_BYTES = _FRAME_MS * _BYTES_PER_MS


@dataclass(slots=True)
class _ItemAudio:
    """The audio of one item that waits to be played, of one response."""

    response_id: str
    item_id: str
    waiting: bytearray
    played_bytes: int = 0

    @property
    def heard_ms(self) -> int:
        return self.played_bytes // _BYTES_PER_MS


class Playout(MediaStreamTrack):
    """A track that is silent while nothing waits. `on_change(kind, response_id)`: started, stopped or cleared."""

    kind = "audio"

    def __init__(self, on_change: Callable[[str, str], None]) -> None:
        super().__init__()
        self._on_change = on_change
        self._items: deque[_ItemAudio] = deque()
        self._unfinished: set[str] = set()
        self._playing = ""
        self._frames = 0
        self._started_s: float | None = None

    def begin(self, response_id: str) -> None:
        self._unfinished.add(response_id)

    def append(self, response_id: str, item_id: str, pcm_24k: bytes) -> None:
        if not self._items or self._items[-1].item_id != item_id:
            self._items.append(_ItemAudio(response_id, item_id, bytearray()))
        self._items[-1].waiting += pcm_24k

    def end(self, response_id: str) -> None:
        """No more audio comes of this response."""
        self._unfinished.discard(response_id)
        self._report_stop()

    def clear(self) -> list[tuple[str, int]]:
        """Drop what waits. Returns each item that was not played to its end, with the ms that were."""
        cut = [(each.item_id, each.heard_ms) for each in self._items if each.waiting]
        self._items.clear()
        if self._playing:
            response_id, self._playing = self._playing, ""
            self._on_change("cleared", response_id)
        return cut

    async def recv(self) -> AudioFrame:
        """The next 20 ms, when it is their time."""
        loop = asyncio.get_running_loop()
        if self._started_s is None:
            self._started_s = loop.time()
        await asyncio.sleep(max(0.0, self._started_s + self._frames * _FRAME_MS / 1000 - loop.time()))
        frame = AudioFrame(format="s16", layout="mono", samples=RATE * _FRAME_MS // 1000)
        frame.planes[0].update(self._next_frame())
        frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
        frame.pts = self._frames * RATE * _FRAME_MS // 1000
        self._frames += 1
        return frame

    def _next_frame(self) -> bytes:
        audio = bytearray()
        while self._items and len(audio) < _FRAME_BYTES:
            item = self._items[0]
            self._report_start(item.response_id)
            taken = item.waiting[: _FRAME_BYTES - len(audio)]
            del item.waiting[: len(taken)]
            item.played_bytes += len(taken)
            audio += taken
            if item.waiting or (len(self._items) == 1 and item.response_id in self._unfinished):
                break
            self._items.popleft()
        self._report_stop()
        return bytes(audio.ljust(_FRAME_BYTES, b"\0"))

    def _report_start(self, response_id: str) -> None:
        if self._playing != response_id and self._items[0].waiting:
            self._stop()
            self._playing = response_id
            self._on_change("started", response_id)

    def _report_stop(self) -> None:
        is_waiting = any(each.waiting for each in self._items)
        if self._playing and not is_waiting and self._playing not in self._unfinished:
            self._items.clear()
            self._stop()

    def _stop(self) -> None:
        if self._playing:
            response_id, self._playing = self._playing, ""
            self._on_change("stopped", response_id)

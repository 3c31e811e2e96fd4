"""What a spool file says of the agent's audio without the audio: when it was sent, and when the phone reported it.

The clock of the stream moves with the caller's frames. While they wait to be read, because the server has no time or
the line is held up, it stands: what is sent then has a time that is too early, and our own clock says by how much. An
echo is read in its place among the frames; where the clock has gone on without them, the frames around it say when the
phone sent it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from .blocks import BYTES_PER_MS, Block, Heard

# Two clocks part by less than 2 ms in this time.
CLOCKS_AGREE_MS = 10_000


@dataclass(frozen=True, slots=True)
class Event:
    """`ms`: on the stream's clock. `chunk`: the first one after it. `marked_after_ms`: its mark was sent so long after
    the chunk before it."""

    what: Heard
    chunk: int
    ms: int
    marked_after_ms: int


@dataclass(slots=True)
class Sent:
    """`add` each block, then read. Of a file whose writer skipped nothing: chunks are counted without a gap."""

    sizes: array[int] = field(default_factory=lambda: array("l"))
    last_ms: int = 0
    _stream_ms: array[int] = field(default_factory=lambda: array("l"))
    _own_ms: array[int] = field(default_factory=lambda: array("q"))
    _heard: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    _frames: list[tuple[int, int]] = field(default_factory=list)  # begin and end of each unbroken stretch, in ms

    def add(self, block: Block) -> None:
        self.sizes.extend(map(len, block.chunks.audio()))
        self._stream_ms.extend(block.sent_at_ms)
        self._own_ms.extend(block.own_ms)
        self._heard += block.heard
        for first, end, stream_ms, own_ms in block.sent_again:
            for chunk in range(max(first, 0), min(end, len(self.sizes))):
                self._stream_ms[chunk], self._own_ms[chunk] = stream_ms, own_ms
        for at, frames in block.caller:
            self._add_frames(at // BYTES_PER_MS, (at + sum(map(len, frames.audio()))) // BYTES_PER_MS)
        if self._heard:
            self.last_ms = max(self.last_ms, self._heard[-1][3])

    def _add_frames(self, begin_ms: int, end_ms: int) -> None:
        self.last_ms = max(self.last_ms, end_ms)
        if self._frames and self._frames[-1][1] == begin_ms:
            self._frames[-1] = (self._frames[-1][0], end_ms)
        else:
            self._frames.append((begin_ms, end_ms))

    def times_ms(self) -> array[int]:
        """When each chunk was sent, on the stream's clock, were it never to stand."""
        ahead: dict[int, int] = {}  # how far our clock is ahead at least: the stream's stood at all other times
        for stream, own in zip(self._stream_ms, self._own_ms, strict=True):
            part = own // CLOCKS_AGREE_MS
            ahead[part] = min(ahead.get(part, own - stream), own - stream)
        both = zip(self._stream_ms, self._own_ms, strict=True)
        return array("l", (max(stream, own - _least(ahead, own)) for stream, own in both))

    def events(self) -> Iterator[Event]:
        """What the phone reported, and what we told it to drop, in order."""
        frames = sorted(self._frames)
        begins = [begin for begin, _ in frames]
        for what, chunk, since_ms, until_ms, marked_after_ms in self._heard:
            ms = until_ms
            if since_ms < until_ms:
                ms = _between(frames, begins, since_ms, until_ms)
            yield Event(Heard(what), min(chunk, len(self.sizes)), ms, marked_after_ms)


def _least(ahead: dict[int, int], own_ms: int) -> int:
    part = own_ms // CLOCKS_AGREE_MS
    return min(ahead[near] for near in (part - 1, part, part + 1) if near in ahead)


def _between(frames: list[tuple[int, int]], begins: list[int], since_ms: int, until_ms: int) -> int:
    """When an echo was sent that was read after the frame that ends at `since_ms`: before the next frame ended."""
    place = bisect_right(begins, since_ms)
    if place and frames[place - 1][1] > since_ms:
        return since_ms
    return min(until_ms, begins[place]) if place < len(begins) else until_ms

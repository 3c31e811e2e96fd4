"""When the caller heard what the agent said: from the times at which it was sent, and from the echoes of the phone.

An echo says that all before it has been played. It can come late, and never early: what stands between the start of
the audio and the echo was heard as early as the earliest of all later echoes allows. The phone plays chunk after chunk
without a pause, unless it has run dry: then the pause is before the chunk that was sent last for what it continues.

All positions are bytes of µ-law (8 per ms) on the stream's clock.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from .blocks import BYTES_PER_MS, Block, Heard

FRAME = 20 * BYTES_PER_MS


@dataclass(slots=True)
class Sent:
    """What a file says of the agent's audio, without the audio. `begins` has one entry more than there are chunks."""

    sizes: array[int] = field(default_factory=lambda: array("l"))
    sent_at_ms: array[int] = field(default_factory=lambda: array("l"))
    heard: list[tuple[int, int, int]] = field(default_factory=list)
    last_ms: int = 0

    def add(self, block: Block) -> None:
        """Of a file whose writer skipped nothing: chunks are counted without a gap."""
        self.sizes.extend(map(len, block.chunks.audio()))
        self.sent_at_ms.extend(block.sent_at_ms)
        self.heard += block.heard
        for at, frames in block.caller:
            self.last_ms = max(self.last_ms, (at + sum(map(len, frames.audio()))) // BYTES_PER_MS)
        if self.heard:
            self.last_ms = max(self.last_ms, self.heard[-1][2])


@dataclass(slots=True)
class _Stretch:
    """The chunks from `first` up to `end`, after which a clear or the end took back what was not played by then."""

    first: int
    end: int = -1
    over_ms: int = -1
    echoes: list[tuple[int, int]] = field(default_factory=list)  # (chunk, ms) while it was played
    late_echoes: list[tuple[int, int]] = field(default_factory=list)  # after the clear: on their way, or caused by it


@dataclass(slots=True)
class Placed:
    """Where each chunk begins, and how much of it was heard."""

    starts: array[int]
    sizes: array[int]


def placed(sent: Sent) -> Placed:
    return _Placing(sent).result()


class _Placing:
    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self._begins = array("q", accumulate(sent.sizes, initial=0))
        count = len(sent.sizes)
        self._starts = array("q", bytes(8 * count))
        self._heard_bytes = array("q", sent.sizes)

    def result(self) -> Placed:
        floor = 0
        for stretch in _stretches(self._sent):
            floor = self._place(stretch, floor)
        return Placed(self._starts, self._heard_bytes)

    def _place(self, stretch: _Stretch, floor: int) -> int:
        """Returns the position at which the phone had nothing more to play of it."""
        echoes = stretch.echoes
        self._lay(stretch, echoes, floor)
        cut_at = max(stretch.over_ms * BYTES_PER_MS, floor)
        for chunk, ms in stretch.late_echoes:
            at, end = ms * BYTES_PER_MS, self._ends(chunk - 1)
            if at <= end - FRAME:
                cut_at = at  # it was not played by then: the clear has arrived, and echoes all that it dropped
                break
            if at > end:  # it was on its way when the clear was sent
                echoes = [*echoes, (chunk, ms)]
                self._lay(stretch, echoes, floor)
        for chunk in range(stretch.end - 1, stretch.first - 1, -1):
            if self._ends(chunk) <= cut_at:
                break
            self._heard_bytes[chunk] = max(cut_at - self._starts[chunk], 0)
        return cut_at

    def _ends(self, chunk: int) -> int:
        return self._starts[chunk] + self._sent.sizes[chunk]

    def _due(self, chunk: int) -> int:
        """How far the audio is behind its own count, at least: no chunk is played before it was sent."""
        return self._sent.sent_at_ms[chunk] * BYTES_PER_MS - self._begins[chunk]

    def _lay(self, stretch: _Stretch, echoes: list[tuple[int, int]], floor: int) -> None:
        """Give each chunk its start: its count plus a delay, which grows whenever the phone has run dry."""
        if stretch.first == stretch.end:
            return
        done = stretch.first
        delay = max(self._due(done), floor - self._begins[done])
        for chunk, most in self._bounds(echoes):
            if chunk > done:
                delay = self._lay_until(done, chunk, delay, most, is_start=done == stretch.first)
                done = chunk
        for chunk in range(done, stretch.end):
            delay = max(delay, self._due(chunk))
            self._starts[chunk] = self._begins[chunk] + delay

    def _bounds(self, echoes: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """For each echo: the largest delay that it and all later ones allow to the chunks before it."""
        least: list[tuple[int, int]] = []
        for chunk, ms in reversed(echoes):
            delay = ms * BYTES_PER_MS - self._begins[chunk]
            least.append((chunk, min(delay, least[-1][1]) if least else delay))
        return reversed(least)

    def _lay_until(self, first: int, end: int, delay: int, most: int, *, is_start: bool) -> int:
        """Chunks that were all played when the echo came. Returns the delay of the last one."""
        driest = max(range(first, end), key=self._due)
        ran_dry = is_start or self._due(driest) > delay
        for chunk in range(first, end):
            delay = min(max(delay, self._due(chunk)), most)
            # Less than a frame is how finely the clock counts, unless there was a pause anyway.
            if chunk == driest and (ran_dry or most - delay >= FRAME):
                delay = most
            self._starts[chunk] = self._begins[chunk] + delay
        return delay


def _stretches(sent: Sent) -> Iterable[_Stretch]:
    count = len(sent.sizes)
    done: list[_Stretch] = []
    current = _Stretch(0)
    for what, chunk, ms in sent.heard:
        chunk = min(chunk, count)
        if what == Heard.ECHOED:
            if chunk > current.first:
                current.echoes.append((chunk, ms))
            else:
                _late(done, chunk, ms)
        else:
            current.end, current.over_ms = chunk, ms
            done.append(current)
            current = _Stretch(chunk)
    if current.first < count:  # the process died: what the phone played until then is all that is known
        current.end, current.over_ms = count, max(sent.last_ms, 0)
        done.append(current)
    return done


def _late(done: list[_Stretch], chunk: int, ms: int) -> None:
    for stretch in reversed(done):
        if stretch.first < chunk <= stretch.end:
            stretch.late_echoes.append((chunk, ms))
            return

"""When the caller heard what the agent said: from the times at which it was sent, and from the echoes of the phone.

An echo says that all before it has been played. It can come late, and never early: what stands between the start of
the audio and the echo was heard as early as the earliest of all later echoes allows. The phone plays chunk after chunk
without a pause, unless it has run dry: then the next chunk is played as soon as it comes, a while after it was sent.
How long that while is, the chunks say that were sent last for what the echoes allow: it is about the same for others.
So of several pauses between two echoes each is before the chunk that ended it.

All positions are bytes of µ-law (8 per ms) on the stream's clock.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from .blocks import BYTES_PER_MS, Heard
from .sent import Event, Sent

FRAME = 20 * BYTES_PER_MS
# A shorter pause is how finely the clock counts.
PAUSE = FRAME // 2
# So many echoes before and after say how long a chunk is under way.
NEAR_ECHOES = 10


@dataclass(slots=True)
class _Stretch:
    """The chunks from `first` up to `end`, after which a clear or the end took back what was not played by then."""

    first: int
    end: int = -1
    over_ms: int = -1
    is_cleared: bool = False
    echoes: list[Event] = field(default_factory=list)  # while it was played
    late_echoes: list[Event] = field(default_factory=list)  # after the clear: on their way, or caused by it


@dataclass(frozen=True, slots=True)
class _Span:
    """The chunks between two echoes. `most`: the largest delay that this echo and all later ones allow to them.

    `marked`: the delay of a chunk that would begin when the mark was sent, if that was later than its last chunk.
    """

    first: int
    end: int
    most: int
    driest: int  # what was sent last for what it continues
    marked: int | None


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
        self._sent_at_ms = sent.times_ms()
        self._begins = array("q", accumulate(sent.sizes, initial=0))
        count = len(sent.sizes)
        self._starts = array("q", bytes(8 * count))
        self._heard_bytes = array("q", sent.sizes)
        self._least_under_way: int | None = None  # of the call so far

    def result(self) -> Placed:
        floor = 0
        for stretch in _stretches(self._sent):
            floor = self._place(stretch, floor)
        return Placed(self._starts, self._heard_bytes)

    def _place(self, stretch: _Stretch, floor: int) -> int:
        """Returns the position at which the phone had nothing more to play of it."""
        echoes = stretch.echoes
        self._lay(stretch, echoes, floor)
        under_way = (self._least_under_way or 0) if stretch.is_cleared else 0
        cut_at = max(stretch.over_ms * BYTES_PER_MS + under_way, floor)
        for echo in stretch.late_echoes:
            at, end = echo.ms * BYTES_PER_MS, self._ends(echo.chunk - 1)
            if at <= end - FRAME:
                cut_at = at  # it was not played by then: the clear has arrived, and echoes all that it dropped
                break
            cut_at = max(cut_at, at)
            if at > end:  # it was on its way when the clear was sent
                echoes = [*echoes, echo]
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
        return self._sent_at_ms[chunk] * BYTES_PER_MS - self._begins[chunk]

    def _lay(self, stretch: _Stretch, echoes: Sequence[Event], floor: int) -> None:
        """Give each chunk its start: its count plus a delay, which grows whenever the phone has run dry."""
        if stretch.first == stretch.end:
            return
        spans = list(self._spans(stretch.first, echoes))
        delay = max(self._due(stretch.first), floor - self._begins[stretch.first])
        # Below zero where the phone sends a frame as it begins, and not when it is full.
        under_way = [max(span.most - self._due(span.driest), -FRAME) for span in spans]
        least = [*under_way, *([] if self._least_under_way is None else [self._least_under_way])]
        self._least_under_way = min(least, default=None)
        done = stretch.first
        for number, span in enumerate(spans):
            near = min(under_way[max(number - NEAR_ECHOES, 0) : number + NEAR_ECHOES + 1])
            delay = self._lay_span(span, delay, near, is_start=not number)
            done = span.end
        for chunk in range(done, stretch.end):
            comes = self._due(chunk) + (self._least_under_way or 0)
            delay = self._grown(delay, comes, is_start=chunk == stretch.first)
            self._starts[chunk] = self._begins[chunk] + delay

    def _spans(self, first: int, echoes: Sequence[Event]) -> Iterator[_Span]:
        least: list[tuple[Event, int]] = []
        for echo in reversed(echoes):
            delay = echo.ms * BYTES_PER_MS - self._begins[echo.chunk]
            least.append((echo, min(delay, least[-1][1]) if least else delay))
        for echo, most in reversed(least):
            if echo.chunk > first:
                driest = max(range(first, echo.chunk), key=self._due)
                yield _Span(first, echo.chunk, most, driest, self._marked(echo))
                first = echo.chunk

    def _marked(self, echo: Event) -> int | None:
        if echo.marked_after_ms < FRAME // BYTES_PER_MS:
            return None
        sent_ms = self._sent_at_ms[echo.chunk - 1] + echo.marked_after_ms
        return sent_ms * BYTES_PER_MS - self._begins[echo.chunk]

    def _lay_span(self, span: _Span, delay: int, under_way: int, *, is_start: bool) -> int:
        """Returns the delay of the last chunk."""
        ran_dry = is_start or self._due(span.driest) > delay
        # The phone echoes at once what it has played before its mark came: that is no sign of a pause.
        is_mark_late = span.marked is not None and span.most - span.marked - under_way < FRAME
        for chunk in range(span.first, span.end):
            comes = self._due(chunk) + under_way
            delay = min(self._grown(delay, comes, is_start=is_start and chunk == span.first), span.most)
            # What is left of the pauses is before the one that was sent last, if the clock can tell, or has told.
            if chunk == span.driest and not is_mark_late and (ran_dry or span.most - delay >= PAUSE):
                delay = span.most
            self._starts[chunk] = self._begins[chunk] + delay
        return delay

    @staticmethod
    def _grown(delay: int, comes: int, *, is_start: bool) -> int:
        return max(delay, comes) if is_start or comes - delay >= PAUSE else delay


def _stretches(sent: Sent) -> Iterable[_Stretch]:
    count = len(sent.sizes)
    done: list[_Stretch] = []
    current = _Stretch(0)
    for event in sent.events():
        if event.what is Heard.ECHOED:
            if event.chunk > current.first:
                current.echoes.append(event)
            else:
                _late(done, event)
        else:
            current.end, current.over_ms, current.is_cleared = event.chunk, event.ms, event.what is Heard.CLEARED
            done.append(current)
            current = _Stretch(event.chunk)
    if current.first < count:  # the process died: what the phone played until then is all that is known
        current.end, current.over_ms = count, max(sent.last_ms, 0)
        done.append(current)
    return done


def _late(done: list[_Stretch], echo: Event) -> None:
    for stretch in reversed(done):
        if stretch.first < echo.chunk <= stretch.end:
            stretch.late_echoes.append(echo)
            return

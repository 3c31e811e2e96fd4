"""How long sound waits in a jitter buffer of WebRTC, at any time of a call, from what the buffer counts.

The buffer waits longer where it had to fill a gap, and less long where it has left samples out, by exactly what it
filled in and left out. How long packets have waited says the rest. A packet that comes late waits less long than the
others, and is played no earlier: the longest times count.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

# Before and after a time: what is known for it then.
WINDOW_S = 2.5
# Of the waiting times around, from the shortest to the longest: the longest ones are chance.
RANK = 0.85
LONGEST_S = 2.0
# More than that is added within a tenth of a second where a gap is filled, less where a buffer catches up.
STEADY_S = 0.02
# Ten minutes at ten a second: nobody speaks longer without a pause.
MOST_KEPT = 6_000


@dataclass(frozen=True, slots=True)
class Counted:
    """What a buffer has counted until `at_s`: the waiting times of `taken` samples in all, and how many seconds of
    sound it has filled in, less those it has left out.
    """

    at_s: float
    waited_s: float
    taken: float
    added_s: float


@dataclass(frozen=True, slots=True)
class _Span:
    """Between two counts. `base_s`: how long packets waited, less what was added until then; None where nothing was
    taken. `is_steady`: hardly anything was added meanwhile.
    """

    at_s: float
    added_s: float
    base_s: float | None
    is_steady: bool


class BufferDelay:
    """Of one listener. A buffer that begins to count anew is another one, as after a lost connection."""

    def __init__(self) -> None:
        self._spans: list[_Span] = []
        self._first = 0  # of the buffer that counts now
        self._last: Counted | None = None

    def add(self, counted: Counted) -> None:
        last, self._last = self._last, counted
        if last is None or counted.at_s <= last.at_s:
            return
        taken = counted.taken - last.taken
        if taken < 0:
            self._first = len(self._spans)
            return
        is_steady = abs(counted.added_s - last.added_s) <= STEADY_S
        base_s = None
        if taken > 0:
            base_s = (counted.waited_s - last.waited_s) / taken - (counted.added_s + last.added_s) / 2
        self._spans.append(_Span(counted.at_s, counted.added_s, base_s, is_steady))
        if len(self._spans) > MOST_KEPT:
            del self._spans[: MOST_KEPT // 10]
            self._first = max(0, self._first - MOST_KEPT // 10)

    def at(self, at_s: float) -> float | None:
        """In seconds. Exact when WINDOW_S have passed since. None where nothing is known."""
        spans = self._spans
        if not spans:
            return None
        here = min(bisect_left(spans, at_s, key=lambda span: span.at_s), len(spans) - 1)
        lowest, highest = (0, self._first) if here < self._first else (self._first, len(spans))
        begin = max(lowest, bisect_left(spans, spans[here].at_s - WINDOW_S, key=lambda span: span.at_s))
        steady: list[float] = []
        others: list[float] = []
        for span in spans[begin:highest]:
            if span.at_s > spans[here].at_s + WINDOW_S:
                break
            if span.base_s is not None:
                (steady if span.is_steady else others).append(span.base_s)
        around = sorted(steady or others)
        if not around:
            return None
        return min(max(around[int(RANK * (len(around) - 1))] + spans[here].added_s, 0.0), LONGEST_S)

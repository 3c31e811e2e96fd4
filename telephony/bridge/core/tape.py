"""What both sides of a call say, taken down as it passes by: the caller's audio with its place on the stream's clock;
the agent's as it is sent, and the echoes that say when it was heard.

Where the agent's audio belongs is worked out after the call (recordings/spool/placing.py), from the same marks as the
ledger's (playout.py). The call pays for a few references a frame.
"""

from __future__ import annotations

from collections.abc import Callable

from recordings.spool.blocks import Heard, Said

from .ports import CallerLine
from .stream_clock import StreamClock
from .ulaw import BYTES_PER_MS

Hear = Callable[[str, int], None]
OwnClock = Callable[[], float]

FRAME_MS = 20
FRAME = FRAME_MS * BYTES_PER_MS
# A frame of the caller's this near to the end of the one before it follows it.
NEAR = 10 * BYTES_PER_MS
# Marks whose echoes are outstanding. A phone that echoes none must not fill the memory.
MOST_MARKS = 256


class Tape:
    """Between a call and both of its sides: a CallerLine for the ledger, and `hear` for the caller's frames.

    `take` often: it holds everything since it was taken last. `own_clock` reads seconds of a clock that never stands;
    the shell lends its own.
    """

    __slots__ = (
        "_caller",
        "_caller_end",
        "_chunks",
        "_clock",
        "_due_ms",
        "_first_chunk",
        "_heard",
        "_line",
        "_marks",
        "_sent_again",
        "_sent_at_ms",
        "_sent_at_s",
        "_stretch",
        "_taken_at_s",
        "own_clock",
        "pass_on",
    )

    def __init__(self, line: CallerLine, clock: StreamClock) -> None:
        self._line = line
        self._clock = clock
        self.pass_on: Hear = _nowhere  # where the caller's frames go on to
        self.own_clock: OwnClock = lambda: clock.now_ms / 1000
        self._due_ms = -1  # where the clock is after the next frame, if it follows the last one of the stretch
        self._caller_end = 0  # bytes of the stream's clock
        self._stretch: list[str] = []
        self._caller: list[tuple[int, list[str]]] = []
        self._first_chunk = 0
        self._chunks: list[str] = []
        self._sent_at_ms: list[int] = []
        self._sent_at_s: list[float] = []
        self._heard: list[tuple[Heard, int, int, int, int]] = []
        self._sent_again: list[tuple[int, int, int, float]] = []
        self._marks: dict[
            str, tuple[int, int]
        ] = {}  # the chunks before it, and how many ms after the last one it was sent
        self._taken_at_s = 0.0  # when the last chunk was sent of those that were taken

    def hear(self, payload: str, size: int, /) -> None:
        """The caller's frame that the clock has just counted."""
        clock = self._clock
        if clock.end_ms == self._due_ms and size == FRAME and clock.late_ms is None:
            self._due_ms += FRAME_MS
            self._stretch.append(payload)
        else:
            self._place(payload, size)
        self.pass_on(payload, size)

    def _place(self, payload: str, size: int) -> None:
        """The first frame of a stretch, one after a gap, or a late one, whose place was padded before it came."""
        self._leave_fast_path()
        clock = self._clock
        late_ms, clock.late_ms = clock.late_ms, None
        at = clock.end_ms * BYTES_PER_MS - size if late_ms is None else late_ms * BYTES_PER_MS
        if is_elsewhere := abs(at - self._caller_end) >= NEAR:
            self._caller_end = at
        if is_elsewhere or not self._stretch:
            self._stretch = []
            self._caller.append((self._caller_end, self._stretch))
        self._stretch.append(payload)
        self._caller_end += size
        if self._caller_end == clock.end_ms * BYTES_PER_MS:
            self._due_ms = clock.end_ms + FRAME_MS

    def _leave_fast_path(self) -> None:
        if self._due_ms >= 0:
            self._caller_end = (self._due_ms - FRAME_MS) * BYTES_PER_MS
            self._due_ms = -1

    # The agent, on its way to the caller

    def play(self, payload: str) -> None:
        self._chunks.append(payload)
        self._sent_at_ms.append(self._clock.now_ms)
        self._sent_at_s.append(self.own_clock())
        self._line.play(payload)

    def mark(self, name: str) -> None:
        sent_at_s = self._sent_at_s[-1] if self._sent_at_s else self._taken_at_s
        after_ms = int((self.own_clock() - sent_at_s) * 1000)
        self._marks[name] = (self._first_chunk + len(self._chunks), after_ms)
        if len(self._marks) > MOST_MARKS:
            del self._marks[next(iter(self._marks))]
        self._line.mark(name)

    def clear(self) -> None:
        self._note(Heard.CLEARED, self._first_chunk + len(self._chunks))
        self._line.clear()

    def sent_again(self, count: int) -> None:
        """The last so many chunks had not arrived when the line broke, and are sent on the new one now."""
        if count:
            end = self._first_chunk + len(self._chunks)
            self._sent_again.append((end - count, end, self._clock.now_ms, self.own_clock()))

    def echoed(self, name: str, *, at_ms: int | None = None) -> None:
        """Also of a mark that a clear has made meaningless for the ledger: it says when the clear arrived.

        `at_ms`: when the sound before it was heard, if that is reported only now.
        """
        mark = self._marks.pop(name, None)
        if mark is not None:
            since_ms = self._last_frame_ms() if at_ms is None else at_ms
            self._note(Heard.ECHOED, mark[0], since_ms=since_ms, until_ms=at_ms, marked_after_ms=mark[1])

    def ended(self) -> None:
        """Nothing more is heard."""
        self._note(Heard.ENDED, self._first_chunk + len(self._chunks))

    def _last_frame_ms(self) -> int:
        """Where the caller's frame ends that was read last. An echo is read in its place among the frames, however
        long they have waited."""
        return self._due_ms - FRAME_MS if self._due_ms >= 0 else self._caller_end // BYTES_PER_MS

    def _note(
        self,
        what: Heard,
        chunk: int,
        *,
        since_ms: int | None = None,
        until_ms: int | None = None,
        marked_after_ms: int = 0,
    ) -> None:
        """Now, unless it was between these times."""
        now_ms = self._clock.now_ms
        latest_ms = now_ms if until_ms is None else min(max(0, until_ms), now_ms)
        earliest_ms = latest_ms if since_ms is None else min(max(0, since_ms), latest_ms)
        self._heard.append((what, chunk, earliest_ms, latest_ms, marked_after_ms))

    def take(self) -> Said | None:
        """All since the last time; None if there is nothing."""
        if not (self._caller or self._chunks or self._heard or self._sent_again):
            return None
        said = Said(
            self._caller, self._first_chunk, self._chunks, self._sent_at_ms, self._sent_at_s, self._heard,
            self._sent_again,
        )  # fmt: skip
        self._first_chunk += len(self._chunks)
        self._taken_at_s = self._sent_at_s[-1] if self._sent_at_s else self._taken_at_s
        self._leave_fast_path()
        self._stretch, self._caller, self._chunks, self._heard, self._sent_again = [], [], [], [], []
        self._sent_at_ms, self._sent_at_s = [], []
        return said


def _nowhere(payload: str, size: int, /) -> None:
    """Before there is an agent."""

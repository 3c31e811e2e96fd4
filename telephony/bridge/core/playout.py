"""The ledger of what was sent to the caller's phone and how much of it has been heard.

All positions are bytes of µ-law (8 per ms) since the call began, whatever item they belong to, so that an item starts
to play exactly where the one before it ends. Only whole 20 ms frames are sent; what remains is carried. At most a
window is sent ahead of what was confirmed: the rest waits here, where an interruption can take it back.
"""

from __future__ import annotations

from base64 import b64encode
from binascii import a2b_base64

from .agent_item import AgentItem, Cut
from .ports import CallerLine
from .stream_clock import StreamClock
from .ulaw import BYTES_PER_MS, SILENCE

FRAME = 20 * BYTES_PER_MS
SLICE = 200 * BYTES_PER_MS
UNCUT = 400 * BYTES_PER_MS
WINDOW = 800 * BYTES_PER_MS
MARK_EVERY = 100 * BYTES_PER_MS
# An echo this much later than the clock expects it no longer holds the window back.
LATE = 300 * BYTES_PER_MS
# The clock is this much past the end of everything: the echoes were lost, it has been heard.
LOST = 1_000 * BYTES_PER_MS
# All was played and an item has sent nothing for this long: its remainder, less than a frame, is played too.
TAIL = 500 * BYTES_PER_MS
# A provider that sends more than this ahead is broken; the rest is dropped.
MOST_WAITING = 120_000 * BYTES_PER_MS


class _Run:
    """Audio of one item in one piece. `end` grows while it is being sent; `padding` is ours, not the item's."""

    __slots__ = ("end", "is_closed", "item", "padding", "pending", "start")

    def __init__(self, item: AgentItem) -> None:
        self.item = item
        self.start = -1
        self.end = -1
        self.padding = 0
        self.pending = bytearray()
        self.is_closed = False

    @property
    def size(self) -> int:
        return self.end - self.start + len(self.pending) - self.padding

    def heard(self, position: int) -> int:
        """How much of it the phone has played at this position."""
        return min(max(0, min(position, self.end) - self.start), self.size) if self.start >= 0 else 0


class Playout:
    """`add` in the order of arrival, `echoed` for every mark, `tick` ten times a second, `interrupt` on barge-in."""

    __slots__ = (
        "_anchor",
        "_anchor_ms",
        "_clock",
        "_confirmed",
        "_generation",
        "_held_ms",
        "_line",
        "_mark_count",
        "_marked",
        "_marks",
        "_open_item",
        "_queue",
        "_released",
        "_runs",
        "_sent",
        "_waiting_bytes",
        "lost_echoes",
        "overflow_bytes",
    )

    def __init__(self, line: CallerLine, clock: StreamClock) -> None:
        self._line = line
        self._clock = clock
        self._generation = 0
        self._mark_count = 0
        self._marks: dict[str, int] = {}
        self._sent = 0
        self._confirmed = 0  # echoed, so surely heard
        self._released = 0  # what the window counts from: confirmed, or believed heard when echoes are late
        self._marked = 0
        self._anchor = 0  # the caller's phone was playing this position ...
        self._anchor_ms = 0  # ... at this time
        self._held_ms: int | None = None  # since when nothing is heard
        # Lists, and not deques of 600 bytes each: there are rarely more than two.
        self._runs: list[_Run] = []  # not yet confirmed to the end, in playing order
        self._queue: list[_Run] = []  # the last ones of them: not yet sent to the end
        self._waiting_bytes = 0
        self._open_item: AgentItem | None = None  # its last run is wholly sent and may go on uncut
        self.overflow_bytes = 0
        self.lost_echoes = 0

    @property
    def line(self) -> CallerLine:
        """Where the audio goes."""
        return self._line

    @property
    def on_its_way_bytes(self) -> int:
        """What was sent and, by the clock, is not heard yet."""
        return max(0, self._sent - self._position())

    def lead_through(self, line: CallerLine) -> None:
        """From now on the audio goes to this line, which passes it on."""
        self._line = line

    @property
    def is_idle(self) -> bool:
        """Everything that came has been heard."""
        return self._confirmed == self._sent and not self._waiting_bytes

    @property
    def confirmed_bytes(self) -> int:
        return self._confirmed

    @property
    def received_bytes(self) -> int:
        """The position at which audio added now would end up."""
        return self._sent + self._waiting_bytes

    @property
    def outstanding_ms(self) -> int:
        return (self._sent + self._waiting_bytes - self._position()) // BYTES_PER_MS

    def played_at_ms(self, position: int) -> int:
        return max(self._anchor_ms - (self._anchor - position) // BYTES_PER_MS, 0)

    def add(self, item: AgentItem, payload: str) -> None:
        """Play base64 µ-law after everything added before. Raises ValueError when it is not base64."""
        size = len(payload) * 3 // 4
        if payload.endswith("="):
            size -= 2 if payload.endswith("==") else 1
        if (
            item is self._open_item
            and not size % FRAME
            and not self._waiting_bytes
            and 0 < size <= UNCUT
            and self._sent + size - self._released <= WINDOW
            and payload.isascii()
        ):
            self._advance(self._runs[-1], size)
            self._line.play(payload)
            if self._sent - self._marked >= MARK_EVERY:
                self._mark()
            return
        self._enqueue(item, a2b_base64(payload, strict_mode=True))
        self._pump()

    def complete(self, item: AgentItem) -> None:
        """No more audio of this item will come (unless it does: then it plays after what came meanwhile)."""
        item.is_complete = True
        if self._runs and self._runs[-1].item is item:
            self._close_last_run()
            self._pump()
            self._retire()

    def play_whole(self, item: AgentItem, audio: bytes) -> None:
        """Play an item that is known to its end."""
        self._enqueue(item, audio)
        self.complete(item)

    def interject(self, payload: str) -> bool:
        """Play audio of our own, such as a tone. The provider does not learn of it."""
        item = AgentItem("", is_local=True)
        self.add(item, payload)
        self.complete(item)
        return True

    def finish(self) -> None:
        """The item being spoken will not continue."""
        if self._runs:
            self.complete(self._runs[-1].item)

    def echoed(self, name: str) -> bool:
        """A mark came back. Returns whether it confirmed anything new."""
        marks = self._marks
        position = marks.pop(name, None)
        if position is None:  # of an older generation (a clear echoes marks that were not played), or never ours
            return False
        while marks:
            oldest = next(iter(marks))
            if marks[oldest] > position:
                break
            del marks[oldest]
        self._anchor, self._anchor_ms = position, self._clock.now_ms
        self._confirm(position)
        return True

    def hold(self, *, silent_ms: int) -> None:
        """The caller's line broke so long ago: nothing more is believed to be heard until it is back.

        What was sent since may not have arrived; the shell sends it again. All else waits here.
        """
        if self._held_ms is None:
            self._held_ms = max(self._anchor_ms, self._clock.now_ms - silent_ms)

    def go_on(self) -> None:
        """The line is back, and the caller hears on where it broke."""
        if self._held_ms is not None:
            self._anchor_ms += self._clock.now_ms - self._held_ms
            self._held_ms = None

    def tick(self) -> bool:
        """Let the clock stand in for echoes that do not come. Returns whether that moved anything."""
        if self._held_ms is not None:
            return False
        self._play_tail()
        if self._confirmed == self._sent:
            return False
        expected = self._anchor + (self._clock.now_ms - self._anchor_ms) * BYTES_PER_MS
        if expected >= self._sent + LOST:
            self.lost_echoes += len(self._marks)
            self._marks.clear()
            self._confirm(self._sent)
            return True
        if min(expected, self._sent) - LATE > self._released:
            self._released = min(expected, self._sent) - LATE
            self._pump()
        return False

    def _play_tail(self) -> None:
        """An item whose audio stops in the middle of a frame would be waited for without end."""
        if self._runs and not self._runs[-1].is_closed:
            expected = self._anchor + (self._clock.now_ms - self._anchor_ms) * BYTES_PER_MS
            if expected >= self._sent + TAIL:
                self._close_last_run()
                self._pump()
                self._retire()

    def interrupt(self) -> list[Cut]:
        """Take back all that was not heard, and say what was: one entry per item, in playing order."""
        if self._confirmed < self._sent:
            self._line.clear()
        return self.abandon()

    def abandon(self) -> list[Cut]:
        """The same, without a frame to the carrier: the call is over."""
        position = self._position()
        received: dict[AgentItem, int] = {}
        for run in self._runs:
            received[run.item] = received.get(run.item, run.item.heard_bytes) + run.size
            run.item.heard_bytes += run.heard(position)
        self._generation += 1
        self._marks.clear()
        self._runs.clear()
        self._queue.clear()
        self._waiting_bytes = 0
        self._open_item = None
        self._confirmed = self._released = self._marked = self._anchor = self._sent
        return [
            Cut(item, item.heard_bytes // BYTES_PER_MS, size // BYTES_PER_MS, not item.is_complete)
            for item, size in received.items()
        ]

    def _position(self) -> int:
        """The byte the caller's phone is playing now: the last thing known, carried on by the clock."""
        return min(self._sent, self._anchor + (self._now_ms - self._anchor_ms) * BYTES_PER_MS)

    @property
    def _now_ms(self) -> int:
        """The clock, which stands still while the line is broken."""
        return self._clock.now_ms if self._held_ms is None else self._held_ms

    def _advance(self, run: _Run, size: int) -> None:
        now_ms = self._clock.now_ms if self._held_ms is None else self._held_ms
        if (now_ms - self._anchor_ms) * BYTES_PER_MS >= self._sent - self._anchor:
            # The phone had played everything and was silent: this audio starts now, not when the last one ended.
            self._anchor, self._anchor_ms = self._sent, now_ms
        self._sent += size
        run.end = self._sent

    def _enqueue(self, item: AgentItem, audio: bytes) -> None:
        if self._waiting_bytes + len(audio) > MOST_WAITING:
            self.overflow_bytes += len(audio)
            return
        run = self._runs[-1] if self._runs else None
        if run is None or run.item is not item or run.is_closed:
            self._close_last_run()
            run = _Run(item)
            self._runs.append(run)
            self._queue.append(run)
        run.pending += audio
        self._waiting_bytes += len(audio)

    def _close_last_run(self) -> None:
        if self._runs and not self._runs[-1].is_closed:
            self._runs[-1].is_closed = True
            self._open_item = None

    def _pump(self) -> None:
        """Send what the window has room for: an item's first frame alone, so that its mark says when it was heard."""
        while self._queue:
            run = self._queue[0]
            room = WINDOW - (self._sent - self._released)
            if len(run.pending) >= FRAME:
                largest = FRAME if run.start < 0 else SLICE
                size = min(len(run.pending), largest, room) // FRAME * FRAME
            elif run.pending and run.is_closed:
                run.padding = FRAME - len(run.pending)
                run.pending += SILENCE * run.padding
                self._waiting_bytes += run.padding
                continue
            else:
                if not run.is_closed:
                    return
                self._queue.pop(0)
                if self._marked < self._sent:
                    self._mark()
                continue
            if size <= 0:
                return
            self._send(run, size)

    def _send(self, run: _Run, size: int) -> None:
        is_first = run.start < 0
        if is_first:
            run.start = self._sent
        self._advance(run, size)
        self._line.play(b64encode(run.pending[:size]).decode())
        del run.pending[:size]
        self._waiting_bytes -= size
        if not run.is_closed:
            self._open_item = run.item
        if is_first or self._sent - self._marked >= MARK_EVERY:
            self._mark()

    def _mark(self) -> None:
        self._mark_count += 1
        name = f"{self._generation}.{self._mark_count}"
        self._marks[name] = self._marked = self._sent
        self._line.mark(name)

    def _confirm(self, position: int) -> None:
        self._confirmed = position
        self._released = max(self._released, position)
        self._retire()
        if self._waiting_bytes:
            self._pump()

    def _retire(self) -> None:
        """Forget what was heard to its end: a later interruption must not truncate it."""
        while self._runs:
            run = self._runs[0]
            if not run.is_closed or run.pending or run.end > self._confirmed:
                return
            run.item.heard_bytes += run.heard(self._confirmed)
            self._runs.pop(0)

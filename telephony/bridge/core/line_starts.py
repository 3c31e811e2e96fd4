"""When the caller began to hear each line of the agent's: estimated when its audio comes, known at its first echo."""

from __future__ import annotations

from .ports import Ledger
from .stream_clock import StreamClock
from .transcript import Transcript
from .ulaw import BYTES_PER_MS

# The phone counts in frames: what is nearer than one is not news.
FRAME_MS = 20


class LineStarts:
    """`came` when there is audio of a line that can be heard, `heard_more` after each echo, `forget` at a barge-in."""

    __slots__ = (
        "_clock",
        "_playout",
        "_transcript",
        "_waiting",
    )

    def __init__(self, *, playout: Ledger, transcript: Transcript, clock: StreamClock) -> None:
        self._playout = playout
        self._transcript = transcript
        self._clock = clock
        self._waiting: list[tuple[int, str, int]] = []  # position, line, estimate

    def came(self, line_id: str, *, quiet_bytes: int, turn: int) -> None:
        """Before its audio is added, which begins with so many bytes of silence."""
        playout = self._playout
        at_ms = self._clock.now_ms + playout.outstanding_ms + quiet_bytes // BYTES_PER_MS
        self._waiting.append((playout.received_bytes + quiet_bytes, line_id, at_ms))
        self._transcript.agent_began(line_id, at_ms=at_ms, turn=turn)

    def heard_more(self) -> None:
        while self._waiting and self._waiting[0][0] < self._playout.confirmed_bytes:
            position, line_id, estimate_ms = self._waiting.pop(0)
            at_ms = self._playout.played_at_ms(position)
            if at_ms is not None and abs(at_ms - estimate_ms) >= FRAME_MS:
                self._transcript.agent_was_heard(line_id, at_ms=at_ms)

    def forget(self) -> None:
        self._waiting.clear()

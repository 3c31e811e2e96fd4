"""How Twilio plays the audio and marks that it receives: an unbounded queue, at exactly 8,000 bytes a second."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from voiceapp.simulators.twilio.frames import ABRUPT_LEVEL, FRAME_BYTES, SILENCE, VOICED_LEVEL, level, milliseconds

_SAME_SPEECH_MS = 1000


@dataclass(frozen=True, slots=True)
class Underrun:
    """The queue was empty in the middle of speech and was filled again."""

    at_ms: int
    length_ms: int


@dataclass(frozen=True, slots=True)
class ClippedEnd:
    """The agent's speech stopped while it was loud, or `lost_ms` of it were queued when its stream was closed."""

    at_ms: int
    lost_ms: int


class PlayoutQueue:
    """One stream's queue. `next_frame` is called every 20 ms; a frame handed out counts as played 20 ms later."""

    def __init__(self) -> None:
        self._queue = bytearray()
        self._added = self._taken = self._played = 0
        self._marks: deque[tuple[int, str]] = deque()
        self._dry: tuple[int, int] | None = None  # when the queue became empty, and how loud the audio was then
        self.underruns: list[Underrun] = []
        self.clipped_ends: list[ClippedEnd] = []

    @property
    def queued_ms(self) -> int:
        return milliseconds(self._queue)

    @property
    def awaits_marks(self) -> bool:
        return bool(self._marks)

    def add(self, audio: bytes) -> None:
        self._queue += audio
        self._added += len(audio)

    def mark(self, name: str) -> None:
        """The mark is due when all audio queued before it has been played; at once if there is none."""
        self._marks.append((self._added, name))

    def clear(self) -> None:
        """Drop the queued audio; the pending marks become due, in order."""
        self._queue.clear()
        self._added = self._taken
        self._marks = deque((0, name) for _position, name in self._marks)
        self._dry = None

    def due_marks(self) -> list[str]:
        due = []
        while self._marks and self._marks[0][0] <= self._played:
            due.append(self._marks.popleft()[1])
        return due

    def next_frame(self, now_ms: int) -> bytes:
        """The next 20 ms for the line, which starts to play at `now_ms`."""
        self._played = self._taken
        if not self._queue:
            return SILENCE
        if self._dry:
            self._resumed(now_ms)
        frame = bytes(self._queue[:FRAME_BYTES])
        del self._queue[:FRAME_BYTES]
        self._taken += len(frame)
        if not self._queue:
            self._dry = (now_ms + milliseconds(frame), level(frame))
        return frame if len(frame) == FRAME_BYTES else frame + SILENCE[len(frame) :]

    def finish(self, now_ms: int, *, is_closed_by_agent: bool) -> None:
        """The stream is over. Audio still queued is lost, which is a clipped end if the agent's side closed it."""
        lost_ms = self.queued_ms
        if lost_ms and is_closed_by_agent:
            self.clipped_ends.append(ClippedEnd(now_ms, lost_ms))
        elif self._dry and self._dry[1] >= ABRUPT_LEVEL:
            self.clipped_ends.append(ClippedEnd(self._dry[0], 0))
        self._queue.clear()
        self._dry = None

    def _resumed(self, now_ms: int) -> None:
        assert self._dry is not None
        dry_ms, loudness = self._dry
        self._dry = None
        length_ms = now_ms - dry_ms
        if not length_ms:
            return
        if length_ms < _SAME_SPEECH_MS and loudness >= VOICED_LEVEL:
            self.underruns.append(Underrun(dry_ms, length_ms))
        elif loudness >= ABRUPT_LEVEL:
            self.clipped_ends.append(ClippedEnd(dry_ms, 0))

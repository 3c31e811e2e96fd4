"""The clock of one media stream: milliseconds since it began, as the caller's own audio counts them.

Frames are the clock because they arrive together with the mark echoes they are compared with, whatever the event loop
does meanwhile. Where no frames come, the shell's tick carries on from the last one.
"""

from __future__ import annotations

# A stream's timestamps step by one frame; less than one frame of difference is jitter, not a gap.
JITTER_MS = 20
# No frame for this long means the transport stopped sending, not that the network hiccuped.
QUIET_AFTER_MS = 600
# Timestamps cannot run ahead of the shell's own clock by more than this; those that do are nonsense.
AHEAD_MS = 5_000
LONGEST_GAP_MS = 10_000


class StreamClock:
    """`now_ms` never goes back. `end_ms` is where the caller's audio ends, padding included."""

    __slots__ = (
        "_behind_ms",
        "_has_audio",
        "_is_flowing",
        "_is_quiet",
        "_wall_ms",
        "end_ms",
        "late_ms",
        "loud_ms",
        "now_ms",
    )

    def __init__(self) -> None:
        self.now_ms = 0
        self.end_ms = 0
        # Where a frame belongs whose place was padded before it came. Its reader resets it.
        self.late_ms: int | None = None
        self.loud_ms = 0  # the caller's audio was loud until here, as far as he was known to speak
        self._wall_ms = 0
        self._behind_ms = 0
        self._has_audio = False
        self._is_flowing = False
        self._is_quiet = False

    def frame_arrived(self, starts_ms: int | None, lasts_ms: int) -> int:
        """Move on by one frame of the caller's audio. Returns the ms that are missing before it (0 when none are)."""
        end_ms = self.end_ms
        self._is_flowing = True
        if starts_ms is None or starts_ms < 0 or starts_ms > self._wall_ms + AHEAD_MS:
            starts_ms = end_ms
        missing_ms = starts_ms - end_ms
        if missing_ms < JITTER_MS or not self._has_audio:
            missing_ms = 0
            self._has_audio = True
        if starts_ms + lasts_ms > end_ms:  # a frame that comes late, after its place was padded, moves nothing
            self.end_ms = end_ms = starts_ms + lasts_ms
            if end_ms > self.now_ms:
                self.now_ms = end_ms
        else:
            self.late_ms = starts_ms
        return missing_ms if missing_ms < LONGEST_GAP_MS else LONGEST_GAP_MS

    def tick(self, wall_ms: int) -> int:
        """Follow the shell's clock while no frames come. Returns the ms of silence that should stand in for them."""
        self._wall_ms = wall_ms
        if self._is_flowing:
            self._is_flowing = self._is_quiet = False
            self._behind_ms = wall_ms - self.end_ms
            return 0
        self.now_ms = max(self.now_ms, wall_ms - self._behind_ms)
        missing_ms = self.now_ms - self.end_ms
        if not self._has_audio or (missing_ms < QUIET_AFTER_MS and not self._is_quiet):
            return 0
        self._is_quiet = True
        self.end_ms = self.now_ms
        return min(missing_ms, LONGEST_GAP_MS)

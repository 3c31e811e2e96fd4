"""An ear: tells from the sound's energy alone when somebody on the line spoke."""

from __future__ import annotations

from dataclasses import dataclass

from voiceapp.simulators.twilio.frames import FRAME_MS, is_voiced

#: Voice after a shorter silence belongs to the same utterance.
PAUSE_MS = 240
_CLICK_MS = 40


@dataclass(slots=True)
class Utterance:
    """Speech from its first voiced frame to the end of its last one."""

    began_ms: int
    ended_ms: int

    @property
    def is_speech(self) -> bool:
        return self.ended_ms - self.began_ms >= _CLICK_MS


class Ear:
    """Hears one side of a line, frame by frame; its clock is the line's."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._heard: list[Utterance] = []

    def hear(self, frame: bytes) -> None:
        began_ms = self.now_ms
        self.now_ms += FRAME_MS
        if not is_voiced(frame):
            return
        if self._heard and began_ms - self._heard[-1].ended_ms <= PAUSE_MS:
            self._heard[-1].ended_ms = self.now_ms
        else:
            self._heard.append(Utterance(began_ms, self.now_ms))

    @property
    def utterances(self) -> list[Utterance]:
        return [utterance for utterance in self._heard if utterance.is_speech]

    @property
    def latest(self) -> Utterance | None:
        """The last utterance, perhaps still going on. Clicks do not count."""
        for utterance in reversed(self._heard):
            if utterance.is_speech:
                return utterance
        return None

    @property
    def silent_ms(self) -> int:
        """How long nothing was said; since the start if nobody ever spoke."""
        latest = self.latest
        return self.now_ms - (latest.ended_ms if latest else 0)

    def began_since(self, moment_ms: int) -> Utterance | None:
        """The first utterance that began at this moment or later."""
        return next((each for each in self._heard if each.began_ms >= moment_ms and each.is_speech), None)

"""Detects speech on one side of a line by the energy of the audio alone."""

from __future__ import annotations

from dataclasses import dataclass

from voiceapp.simulators.twilio.frames import FRAME_MS, is_voiced

#: A shorter silence does not end an utterance.
PAUSE_MS = 240
_CLICK_MS = 40


@dataclass(slots=True)
class Utterance:
    """Speech from the start of its first voiced frame to the end of its last one."""

    began_ms: int
    ended_ms: int

    @property
    def is_speech(self) -> bool:
        return self.ended_ms - self.began_ms >= _CLICK_MS


class SpeechDetector:
    """Its clock counts the processed frames, as the line's clock does."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._found: list[Utterance] = []

    def process(self, frame: bytes) -> None:
        began_ms = self.now_ms
        self.now_ms += FRAME_MS
        if not is_voiced(frame):
            return
        if self._found and began_ms - self._found[-1].ended_ms <= PAUSE_MS:
            self._found[-1].ended_ms = self.now_ms
        else:
            self._found.append(Utterance(began_ms, self.now_ms))

    @property
    def utterances(self) -> list[Utterance]:
        return [utterance for utterance in self._found if utterance.is_speech]

    @property
    def latest(self) -> Utterance | None:
        """The last utterance, perhaps still in progress. Clicks do not count."""
        for utterance in reversed(self._found):
            if utterance.is_speech:
                return utterance
        return None

    @property
    def silent_ms(self) -> int:
        """Time since the end of the last utterance, or since the start if there was none."""
        latest = self.latest
        return self.now_ms - (latest.ended_ms if latest else 0)

    def first_since(self, at_ms: int) -> Utterance | None:
        """The first utterance that began at this time or later."""
        return next((each for each in self._found if each.began_ms >= at_ms and each.is_speech), None)

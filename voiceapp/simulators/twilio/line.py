"""A phone line: 20 ms frames between a person at one end and whatever is connected at the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from voiceapp.simulators.twilio.caller_voice import CallerVoice
from voiceapp.simulators.twilio.frames import FRAME_MS, SILENCE
from voiceapp.simulators.twilio.speech_detector import SpeechDetector
from voiceapp.simulators.twilio.ticker import Ticker

#: Returns the next 20 ms for the person; its argument is the line's time in ms.
Speaker = Callable[[int], bytes]
#: Receives 20 ms of the person.
Microphone = Callable[[bytes], None]
#: Receives 20 ms of both directions: what the person says, and what the person hears.
Tap = Callable[[bytes, bytes], None]


class Line:
    """Its clock starts with the answer and counts frames. Both directions are kept, sample by sample.

    `on_key` receives the keys that the person presses.
    """

    def __init__(self, ticker: Ticker, *, noise: bool = True, keeps_sound: bool = True) -> None:
        self.now_ms = 0
        self.voice = CallerVoice(noise=noise)
        self.detector = SpeechDetector()
        self.speaker: Speaker | None = None
        self.microphone: Microphone | None = None
        self.on_key: Callable[[str], None] | None = None
        self.said = bytearray()
        self.heard = bytearray()
        self.taps: list[Tap] = []
        self._ticker = ticker
        self._keeps_sound = keeps_sound
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def open(self) -> None:
        self._ticker.add(self.tick)

    def close(self) -> None:
        """Stop the clock. Tasks that wait on it are canceled."""
        self._ticker.remove(self.tick)
        for _condition, future in self._waiting:
            future.cancel()
        self._waiting.clear()

    def tick(self) -> None:
        said = self.voice.next_frame()
        heard = self.speaker(self.now_ms) if self.speaker else SILENCE
        if self.microphone:
            self.microphone(said)
        self.detector.process(heard)
        if self._keeps_sound:
            self.said += said
            self.heard += heard
        for tap in self.taps:
            tap(said, heard)
        self.now_ms += FRAME_MS
        if self._waiting:
            self._wake()

    def press(self, key: str) -> None:
        if self.on_key:
            self.on_key(key)

    async def until(self, condition: Callable[[], bool], *, timeout_ms: float | None = None) -> bool:
        """Wait on the line's own clock. Returns False if the time runs out first."""
        deadline_ms = None if timeout_ms is None else self.now_ms + timeout_ms
        if condition():
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (lambda: condition() or (deadline_ms is not None and self.now_ms >= deadline_ms), future)
        self._waiting.append(entry)
        try:
            await future
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)
        return condition()

    async def wait_ms(self, duration_ms: float) -> None:
        await self.until(lambda: False, timeout_ms=duration_ms)

    async def play(self, audio: bytes) -> None:
        """Play this µ-law to the person, from the next frame to its end."""
        position = 0

        def next_frame(_now_ms: int) -> bytes:
            nonlocal position
            frame = audio[position : position + len(SILENCE)]
            position += len(SILENCE)
            return frame + SILENCE[len(frame) :]

        self.speaker = next_frame
        try:
            await self.until(lambda: position >= len(audio))
        finally:
            self.speaker = None

    def _wake(self) -> None:
        for entry in tuple(self._waiting):
            condition, future = entry
            if condition():
                self._waiting.remove(entry)
                if not future.done():
                    future.set_result(None)

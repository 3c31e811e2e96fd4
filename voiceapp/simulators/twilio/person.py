"""The person on the phone: speaks, listens, interrupts, presses keys, hangs up. Detects speech by its energy alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voiceapp.simulators.twilio import caller_voice
from voiceapp.simulators.twilio.call_log import CallLog
from voiceapp.simulators.twilio.caller_voice import SpokenText
from voiceapp.simulators.twilio.frames import FRAME_MS
from voiceapp.simulators.twilio.line import Line
from voiceapp.simulators.twilio.recording import pcm_of_wav_file
from voiceapp.simulators.twilio.steps import Act, Step

_KEY_MS = 240
_KEY_PAUSE_MS = 500
#: The end of interrupted speech is not the response to the interruption.
_TAIL_MS = 400


@dataclass(frozen=True, slots=True)
class PersonProfile:
    """How a person speaks and listens, unless a step says otherwise."""

    voice: str = "en-us"
    words_per_minute: int = 165
    pitch: int = 50
    silence_ms: int = 800  # of the agent, before the person speaks
    listen_timeout_s: float = 15.0


class Person:
    def __init__(self, line: Line, profile: PersonProfile, *, hang_up: Callable[[], None], log: CallLog) -> None:
        self._line = line
        self._profile = profile
        self._hang_up = hang_up
        self._log = log
        self._acted_ms = 0
        self._has_listened = False

    async def do(self, step: Step) -> None:
        match step.act:
            case Act.SAY | Act.WAV:
                await self._speak(step)
            case Act.WAIT:
                await self.wait(float(step.value))
            case Act.LISTEN:
                await self.listen(silence_ms=step.silence_ms, timeout_s=step.timeout_s)
            case Act.PRESS:
                if step.listens and not self._has_listened:
                    await self.listen(silence_ms=step.silence_ms, timeout_s=step.timeout_s)
                await self.press(str(step.value))
            case Act.HANG_UP:
                self.hang_up()

    async def say(
        self,
        text: str,
        *,
        listens: bool = True,
        voice: str | None = None,
        words_per_minute: int | None = None,
        pitch: int | None = None,
    ) -> SpokenText:
        """Speak, by default after the agent has spoken and stopped. Returns when it is spoken."""
        audio = await asyncio.to_thread(
            caller_voice.synthesize,
            text,
            voice=voice or self._profile.voice,
            words_per_minute=words_per_minute or self._profile.words_per_minute,
            pitch=self._profile.pitch if pitch is None else pitch,
        )
        return await self.say_audio(audio, text=text, listens=listens)

    async def say_audio(self, ulaw: bytes, *, text: str = "", listens: bool = False) -> SpokenText:
        if listens and not self._has_listened:
            await self.listen()
        spoken = self._line.voice.say(ulaw, text=text)
        self._has_listened = False
        self._log.event("caller_speaks", text=text)
        await self._line.until(lambda: spoken.is_done)
        self._acted_ms = spoken.ended_ms or self._line.now_ms
        return spoken

    async def listen(self, *, silence_ms: int | None = None, timeout_s: float | None = None) -> bool:
        """Wait until the agent has spoken since our last action and is silent. Returns False after a time-out."""
        silence_ms = self._profile.silence_ms if silence_ms is None else silence_ms
        timeout_s = self._profile.listen_timeout_s if timeout_s is None else timeout_s
        detector = self._line.detector

        def has_spoken_and_stopped() -> bool:
            latest = detector.latest
            if latest is None or detector.silent_ms < silence_ms:
                return False
            return latest.began_ms >= self._acted_ms or latest.ended_ms > self._acted_ms + _TAIL_MS

        has_heard = await self._line.until(has_spoken_and_stopped, timeout_ms=timeout_s * 1000)
        if not has_heard:
            self._log.event("listening_timed_out", timeout_s=timeout_s)
        self._has_listened = True
        return has_heard

    async def wait_to_interrupt(self, after_ms: int, *, timeout_s: float | None = None) -> bool:
        """Wait until the agent has spoken its next utterance for so long. Returns False if it did not speak in time."""
        timeout_s = self._profile.listen_timeout_s if timeout_s is None else timeout_s
        detector, since_ms = self._line.detector, self._acted_ms
        if await self._line.until(lambda: detector.first_since(since_ms) is not None, timeout_ms=timeout_s * 1000):
            utterance = detector.first_since(since_ms)
            assert utterance
            await self._line.wait_ms(max(0, utterance.began_ms + after_ms - self._line.now_ms))
            return True
        self._log.event("listening_timed_out", timeout_s=timeout_s)
        return False

    async def press(self, keys: str) -> None:
        """Press keys one after the other; `w` is a pause of half a second."""
        for key in keys:
            if key == "w":
                await self._line.wait_ms(_KEY_PAUSE_MS)
                continue
            self._log.event("caller_pressed", key=key)
            self._acted_ms, self._has_listened = self._line.now_ms, False
            self._line.press(key)
            await self._line.wait_ms(_KEY_MS)

    async def wait(self, seconds: float) -> None:
        await self._line.wait_ms(max(seconds * 1000, FRAME_MS))

    def hang_up(self) -> None:
        self._hang_up()

    async def _speak(self, step: Step) -> None:
        audio = await asyncio.to_thread(audio_of, step, self._profile)
        if step.interrupt_after_ms is not None:
            await self.wait_to_interrupt(step.interrupt_after_ms, timeout_s=step.timeout_s)
        elif step.listens and not self._has_listened:
            await self.listen(silence_ms=step.silence_ms, timeout_s=step.timeout_s)
        await self.say_audio(audio, text=str(step.value))


def audio_of(step: Step, profile: PersonProfile) -> bytes:
    """The µ-law of a `say` or `wav` step. It reads files and synthesizes: do not call it on the event loop."""
    if step.act is Act.WAV:
        return caller_voice.with_noise(pcm_of_wav_file(Path(str(step.value))))
    return caller_voice.synthesize(
        str(step.value),
        voice=step.voice or profile.voice,
        words_per_minute=step.words_per_minute or profile.words_per_minute,
        pitch=profile.pitch if step.pitch is None else step.pitch,
    )

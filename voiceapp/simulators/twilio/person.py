"""The person at the line: speaks, listens, interrupts, presses keys, hangs up; judges what is heard by energy alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voiceapp.simulators.twilio import mouth
from voiceapp.simulators.twilio.frames import FRAME_MS
from voiceapp.simulators.twilio.line import Line
from voiceapp.simulators.twilio.mouth import Spoken
from voiceapp.simulators.twilio.recording import pcm_of_wav_file
from voiceapp.simulators.twilio.steps import Act, Step

_KEY_MS = 240
_KEY_PAUSE_MS = 500
#: The tail of speech that we interrupted is not the answer to what we said.
_TAIL_MS = 400


@dataclass(frozen=True, slots=True)
class Manners:
    """How somebody speaks and listens unless a step says otherwise."""

    voice: str = "en-us"
    words_per_minute: int = 165
    pitch: int = 50
    silence_ms: int = 800  # of the agent, before one speaks
    listen_timeout_s: float = 15.0


class Person:
    def __init__(
        self,
        line: Line,
        manners: Manners,
        *,
        press: Callable[[str], None],
        hang_up: Callable[[], None],
        log: Callable[..., None],
    ) -> None:
        self._line = line
        self._manners = manners
        self._press = press
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
    ) -> Spoken:
        """Speak, by default after the agent has spoken and fallen silent; return when it is said."""
        audio = await asyncio.to_thread(
            mouth.voice,
            text,
            voice=voice or self._manners.voice,
            words_per_minute=words_per_minute or self._manners.words_per_minute,
            pitch=self._manners.pitch if pitch is None else pitch,
        )
        return await self.say_audio(audio, text=text, listens=listens)

    async def say_audio(self, ulaw: bytes, *, text: str = "", listens: bool = False) -> Spoken:
        if listens and not self._has_listened:
            await self.listen()
        spoken = self._line.mouth.say(ulaw, text=text)
        self._has_listened = False
        self._log("caller_speaks", text=text)
        await self._line.until(lambda: spoken.is_said)
        self._acted_ms = spoken.ended_ms or self._line.now_ms
        return spoken

    async def listen(self, *, silence_ms: int | None = None, timeout_s: float | None = None) -> bool:
        """Wait until the agent has spoken since we last did anything and then been silent; False: it timed out."""
        silence_ms = self._manners.silence_ms if silence_ms is None else silence_ms
        timeout_s = self._manners.listen_timeout_s if timeout_s is None else timeout_s
        ear = self._line.ear

        def has_spoken_and_stopped() -> bool:
            latest = ear.latest
            if latest is None or ear.silent_ms < silence_ms:
                return False
            return latest.began_ms >= self._acted_ms or latest.ended_ms > self._acted_ms + _TAIL_MS

        has_heard = await self._line.until(has_spoken_and_stopped, timeout_ms=timeout_s * 1000)
        if not has_heard:
            self._log("listening_timed_out", timeout_s=timeout_s)
        self._has_listened = True
        return has_heard

    async def wait_to_interrupt(self, after_ms: int, *, timeout_s: float | None = None) -> bool:
        """Wait until the agent has been speaking its next utterance for so long; False: it said nothing in time."""
        timeout_s = self._manners.listen_timeout_s if timeout_s is None else timeout_s
        ear, since_ms = self._line.ear, self._acted_ms
        if await self._line.until(lambda: ear.began_since(since_ms) is not None, timeout_ms=timeout_s * 1000):
            utterance = ear.began_since(since_ms)
            assert utterance
            await self._line.wait_ms(max(0, utterance.began_ms + after_ms - self._line.now_ms))
            return True
        self._log("listening_timed_out", timeout_s=timeout_s)
        return False

    async def press(self, keys: str) -> None:
        """Press keys one after the other; `w` waits half a second."""
        for key in keys:
            if key == "w":
                await self._line.wait_ms(_KEY_PAUSE_MS)
                continue
            self._log("caller_pressed", key=key)
            self._acted_ms, self._has_listened = self._line.now_ms, False
            self._press(key)
            await self._line.wait_ms(_KEY_MS)

    async def wait(self, seconds: float) -> None:
        await self._line.wait_ms(max(seconds * 1000, FRAME_MS))

    def hang_up(self) -> None:
        self._hang_up()

    async def _speak(self, step: Step) -> None:
        audio = await asyncio.to_thread(sound_of, step, self._manners)
        if step.interrupt_after_ms is not None:
            await self.wait_to_interrupt(step.interrupt_after_ms, timeout_s=step.timeout_s)
        elif step.listens and not self._has_listened:
            await self.listen(silence_ms=step.silence_ms, timeout_s=step.timeout_s)
        await self.say_audio(audio, text=str(step.value))


def sound_of(step: Step, manners: Manners) -> bytes:
    """The µ-law of a `say` or `wav` step. Reads files and synthesises: call it off the loop."""
    if step.act is Act.WAV:
        return mouth.with_noise(pcm_of_wav_file(Path(str(step.value))))
    return mouth.voice(
        str(step.value),
        voice=step.voice or manners.voice,
        words_per_minute=step.words_per_minute or manners.words_per_minute,
        pitch=manners.pitch if step.pitch is None else step.pitch,
    )

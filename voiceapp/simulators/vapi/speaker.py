"""The assistant's voice in a call: it sends audio in real time, a little ahead, and stops when the caller speaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from voiceapp.simulators.model.synthesis import sentences
from voiceapp.simulators.model.voice_model import VoiceModel
from voiceapp.simulators.vapi.audio_format import AudioFormat

CHUNK_MS = (20, 40, 20, 60)  # frames of an audio stream vary in length
FILL_MS = 20
_LEAD_S = 0.2

Emit = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Spoken:
    """`text`: what was said until the end, or until the caller interrupted."""

    text: str
    duration_ms: int
    was_interrupted: bool


class Speaker:
    """One utterance at a time. `emit` reports events; `send` takes audio of the wire.

    `played` gets what a listener has heard, and when that began on the clock of `time.monotonic`.
    """

    def __init__(
        self, model: VoiceModel, audio_format: AudioFormat, *, voice: str, emit: Emit, send: Callable[[bytes], None],
        played: Callable[[bytes, float], None], is_chirping: bool = False, pace: int = 1,
    ) -> None:  # fmt: skip
        self._played = played
        self._model, self._format, self._voice, self._emit, self._send = model, audio_format, voice, emit, send
        self._is_chirping, self._bytes_per_s = is_chirping, audio_format.bytes_per_ms * 1000 * pace
        self._interrupted, self._one_at_a_time = asyncio.Event(), asyncio.Lock()
        self._may_be_interrupted = True
        self.is_speaking = False
        self.is_muted = False
        self.turn = 0

    @property
    def can_be_interrupted(self) -> bool:
        return self.is_speaking and self._may_be_interrupted

    def stop(self) -> None:
        """The caller speaks: nothing more is sent of this utterance."""
        self._interrupted.set()

    async def say(self, text: str, *, may_be_interrupted: bool = True) -> Spoken:
        """Speak to the end, or until `stop`; after what is being said."""
        async with self._one_at_a_time:
            return await self._say(text, may_be_interrupted=may_be_interrupted)

    async def _say(self, text: str, *, may_be_interrupted: bool) -> Spoken:
        self._interrupted.clear()
        self._may_be_interrupted, self.is_speaking = may_be_interrupted, True
        self._report("started")
        said: list[str] = []
        duration_ms = 0
        try:
            for sentence in sentences(text):
                spoken = await self._speak(sentence)
                duration_ms += spoken.duration_ms
                if spoken.text:
                    said.append(spoken.text)
                if spoken.was_interrupted:
                    break
        finally:
            self.is_speaking = False
            self._report("stopped")
        return Spoken(" ".join(said), duration_ms, self._interrupted.is_set())

    async def fill_pauses(self) -> None:
        """Send silence while nothing is said, in real time, until canceled."""
        silence = self._format.encode(bytes(FILL_MS * 16))
        while True:
            await asyncio.sleep(FILL_MS / 1000)
            if not self.is_speaking:
                self._send(silence)

    async def _speak(self, sentence: str) -> Spoken:
        self._emit("voice-input", input=sentence)
        self._emit("assistant.speechStarted", text=sentence, turn=self.turn, source="model")
        pcm_8k = self._model.chirp() if self._is_chirping else await self._model.synthesize(sentence, self._voice, 1.0)
        audio = b"" if self.is_muted else self._format.encode(pcm_8k)
        whole_ms = max(1, len(audio) // self._format.bytes_per_ms)
        self._transcribe("partial", sentence)
        began_s = time.monotonic()
        heard_ms = await self._play(audio)
        self._played(pcm_8k[: heard_ms * 16] if audio else b"", began_s)
        if not self._interrupted.is_set():
            self._transcribe("final", sentence)
            return Spoken(sentence, heard_ms, was_interrupted=False)
        words = sentence.split(" ")
        heard = " ".join(words[: round(len(words) * heard_ms / whole_ms)])
        if heard:
            self._transcribe("final", heard)
        return Spoken(heard, heard_ms, was_interrupted=True)

    async def _play(self, audio: bytes) -> int:
        """Send it ahead of real time by at most the lead. Returns how much a listener has heard, in milliseconds."""
        loop, at, number = asyncio.get_running_loop(), 0, 0
        began_s = loop.time()
        while at < len(audio) and not self._interrupted.is_set():
            step_ms = CHUNK_MS[number % len(CHUNK_MS)]
            chunk = audio[at : at + step_ms * self._format.bytes_per_ms]
            self._send(chunk)
            at, number = at + len(chunk), number + 1
            await self._wait_until(began_s + at / self._bytes_per_s - _LEAD_S)
        await self._wait_until(began_s + at / self._bytes_per_s)
        heard = min(at, round((loop.time() - began_s) * self._bytes_per_s))
        return heard // self._format.bytes_per_ms

    async def _wait_until(self, at_s: float) -> None:
        wait_s = at_s - asyncio.get_running_loop().time()
        if wait_s > 0:
            try:
                await asyncio.wait_for(self._interrupted.wait(), wait_s)
            except TimeoutError:
                return

    def _report(self, status: str) -> None:
        self._emit("speech-update", status=status, role="assistant", turn=self.turn)

    def _transcribe(self, kind: str, text: str) -> None:
        self._emit("transcript", role="assistant", transcriptType=kind, transcript=text)

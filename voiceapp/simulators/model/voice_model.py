"""The simulated model: it recognizes speech by the instructions, decides what to do, and synthesizes speech."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from voiceapp.simulators.model.agent.decisions import decide
from voiceapp.simulators.model.agent.menu import read_menu
from voiceapp.simulators.model.agent.outputs import Output
from voiceapp.simulators.model.conversation import ModelBrief, Turn
from voiceapp.simulators.model.recognition.recognizer import recognizer_for
from voiceapp.simulators.model.spelling import transcript_of
from voiceapp.simulators.model.synthesis import chirp, synthesize


class VoiceModel:
    """Recognition and synthesis run in threads of its own, never on the event loop."""

    def __init__(self, *, threads: int = 2) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="voice model")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def prepare(self, instructions: str) -> None:
        """Build the recognizer of the menu before the caller speaks."""
        self._pool.submit(recognizer_for, read_menu(instructions))

    async def recognize(self, pcm_8k: bytes, instructions: str) -> str | None:
        """The sentence in lower case; None if no sentence matches."""
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, lambda: recognizer_for(read_menu(instructions)).recognize(pcm_8k)
        )

    def transcript(self, heard: str | None) -> str:
        return transcript_of(heard or "")

    def decide(self, brief: ModelBrief, conversation: Sequence[Turn]) -> list[Output]:
        return decide(brief, conversation)

    async def synthesize(self, sentence: str, voice: str, speed: float) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._pool, synthesize, sentence, voice, speed)

    def chirp(self) -> bytes:
        return chirp()

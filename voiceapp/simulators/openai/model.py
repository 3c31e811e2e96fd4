"""The simulated model: it recognizes speech by the menu, decides what to do, and synthesizes speech."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from voiceapp.simulators.openai.agent.decisions import decide
from voiceapp.simulators.openai.agent.menu import read_menu
from voiceapp.simulators.openai.agent.outputs import Output
from voiceapp.simulators.openai.items import ConversationItem
from voiceapp.simulators.openai.recognition.recognizer import recognizer_for
from voiceapp.simulators.openai.spelling import transcript_of
from voiceapp.simulators.openai.synthesis import chirp, synthesize


class VoiceModel:
    """Recognition and synthesis run in threads of its own, never on the event loop."""

    def __init__(self, *, threads: int = 2) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="voice model")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def prepare(self, session: dict[str, Any]) -> None:
        """Build the recognizer of the menu before the caller speaks."""
        self._pool.submit(recognizer_for, read_menu(session["instructions"]))

    async def recognize(self, pcm_8k: bytes, session: dict[str, Any]) -> str | None:
        """The sentence in lower case; None if no sentence matches."""
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, lambda: recognizer_for(read_menu(session["instructions"])).recognize(pcm_8k)
        )

    def transcript(self, heard: str | None) -> str:
        return transcript_of(heard or "")

    def decide(self, session: dict[str, Any], items: Sequence[ConversationItem]) -> list[Output]:
        return decide(session, items)

    async def synthesize(self, sentence: str, voice: str, speed: float) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._pool, synthesize, sentence, voice, speed)

    def chirp(self) -> bytes:
        return chirp()

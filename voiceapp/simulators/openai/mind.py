"""What sits between ear and mouth: hears with the menu in mind, thinks of an answer, speaks it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from voiceapp.simulators.openai.conversation import Item
from voiceapp.simulators.openai.hearing import hearing_for
from voiceapp.simulators.openai.menu import read_menu
from voiceapp.simulators.openai.parts import Part
from voiceapp.simulators.openai.speaking import chirp, speak
from voiceapp.simulators.openai.thinking import think
from voiceapp.simulators.openai.wording import written


class Mind:
    """Decoding and synthesis run in threads of its own, never on the loop."""

    def __init__(self, *, threads: int = 2) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="mind")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def study(self, session: dict[str, Any]) -> None:
        """Prepare for a menu before anybody speaks."""
        self._pool.submit(hearing_for, read_menu(session["instructions"]))

    async def hear(self, pcm_8k: bytes, session: dict[str, Any]) -> str | None:
        """The sentence in small letters; None when nothing fits."""
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, lambda: hearing_for(read_menu(session["instructions"])).hear(pcm_8k)
        )

    def transcript(self, heard: str | None) -> str:
        return written(heard or "")

    def think(self, session: dict[str, Any], items: Sequence[Item]) -> list[Part]:
        return think(session, items)

    async def speak(self, sentence: str, voice: str, speed: float) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._pool, speak, sentence, voice, speed)

    def chirp(self) -> bytes:
        return chirp()

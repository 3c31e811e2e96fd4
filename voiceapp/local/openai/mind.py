"""What sits between ear and mouth: hears with the menu in mind, thinks of an answer, speaks it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from voiceapp.local.openai.conversation import Item
from voiceapp.local.openai.parts import Part, Speak
from voiceapp.local.openai.speaking import chirp, speak


class Mind:
    """Decoding and synthesis run in threads of its own, never on the loop."""

    def __init__(self, *, threads: int = 2) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="mind")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def study(self, session: dict[str, Any]) -> None:
        """Prepare for a menu before anybody speaks."""

    async def hear(self, pcm_8k: bytes, session: dict[str, Any]) -> str | None:
        return None

    def transcript(self, heard: str | None) -> str:
        return heard or ""

    def think(self, session: dict[str, Any], items: Sequence[Item]) -> list[Part]:
        return [Speak("Sorry, I didn't catch that. What would you like to order?")]

    async def speak(self, sentence: str, voice: str, speed: float) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._pool, speak, sentence, voice, speed)

    def chirp(self) -> bytes:
        return chirp()

"""The simulator of OpenAI on an event loop in a thread of its own, for blocking clients."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from voiceapp.simulators.openai import OpenAISimulator


@contextlib.contextmanager
def running_openai(**options: Any) -> Iterator[OpenAISimulator]:
    """`options` are the server's."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="OpenAI simulator", daemon=True)
    thread.start()
    server = OpenAISimulator(**options)
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(server: OpenAISimulator) -> None:
    await server.__aexit__(None, None, None)
    # What a fault had made wait for ever.
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)

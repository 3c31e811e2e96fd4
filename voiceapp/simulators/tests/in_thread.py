"""A simulator on an event loop in a thread of its own, for blocking clients."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

Simulator = TypeVar("Simulator", bound=AbstractAsyncContextManager[Any])


@contextlib.contextmanager
def in_thread(simulator: Simulator) -> Iterator[Simulator]:
    """It serves until the end of the context."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulator", daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(simulator.__aenter__(), loop).result(10)
    try:
        yield simulator
    finally:
        asyncio.run_coroutine_threadsafe(_end(simulator), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(simulator: AbstractAsyncContextManager[Any]) -> None:
    await simulator.__aexit__(None, None, None)
    # What a fault had made wait for ever.
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)

"""The round of the first word: how long a caller waits from the start of the stream to the first audible frame."""

from __future__ import annotations

import asyncio
from array import array
from binascii import a2b_base64
from dataclasses import dataclass, field
from time import perf_counter

from caller import Caller
from calls import Calls
from load import Load

HEARD_WITHIN_S = 8.0
BETWEEN_CALLS_S = 0.5  # time to prepare for the next caller
# µ-law of a quiet line: the seven smallest values of either sign.
_QUIET = bytes((*range(0x79, 0x80), *range(0xF9, 0x100)))
_LOUD_BYTES = 8


@dataclass(slots=True)
class FirstWord:
    """One wait per call; calls that heard nothing are missing."""

    waits_ms: list[float] = field(default_factory=list)
    unheard: int = 0


class Listener(Caller):
    """Listens only for the first sound: what it hears is not its own speech."""

    __slots__ = ("first_sound",)

    def __init__(self, call: int, delays: array[float], said_at: array[float] | None = None) -> None:
        super().__init__(call, delays, said_at)
        self.first_sound: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def _hear(self, payload: bytes) -> None:
        if not self.first_sound.done() and is_audible(a2b_base64(payload)):
            self.first_sound.set_result(perf_counter())


def is_audible(audio: bytes) -> bool:
    return len(audio.translate(None, _QUIET)) >= _LOUD_BYTES


async def play(load: Load) -> FirstWord:
    """One call after the other."""
    seen = FirstWord()
    async with load.open():
        await load.warm_up()
        async with Calls(load, 1) as calls:
            for _ in range(load.plan.calls[0]):
                await asyncio.sleep(BETWEEN_CALLS_S)
                caller = await calls.begin(Listener)
                try:
                    heard_at = await asyncio.wait_for(caller.first_sound, HEARD_WITHIN_S)
                    seen.waits_ms.append((heard_at - caller.started_at) * 1000)
                except TimeoutError:
                    seen.unheard += 1
                await calls.hang_up([caller])
    return seen

"""The way of a call's sound and captions from the process that carries it to another one, in whose browser they are
heard: through Redis where there is one, else through a socket in a private folder of this machine.

The listening process opens an `Inlet` and leaves its address as a command of the call; the carrying one sends there
until either side ends (docs/decisions/listening-in.md).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.conf import settings

from . import machine_channel, redis_channel
from .listeners import Listener
from .outlet import Outlet

LINES, SOUND = "lines", "sound"


@asynccontextmanager
async def inlet(listener: Listener) -> AsyncIterator[str]:
    """While it is open, the listener hears what comes. Its value is the `text` of the command LISTEN."""
    opened = redis_channel.inlet(listener) if settings.REDIS_URL else machine_channel.inlet(listener)
    async with opened as address:
        yield f"{SOUND if listener.wants_sound else LINES} {address}"


def outlet(text: str) -> Outlet | None:
    """To the inlet that a command names; None for a text that names none."""
    wish, _, address = text.partition(" ")
    kind, _, place = address.partition(":")
    makers = {machine_channel.KIND: machine_channel.MachineOutlet, redis_channel.KIND: redis_channel.RedisOutlet}
    maker = makers.get(kind)
    return None if maker is None or wish not in (LINES, SOUND) else maker(place, wants_sound=wish == SOUND)

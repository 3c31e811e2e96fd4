"""Calls that begin, speak on one clock, and end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self, TypeVar

from caller import Caller
from clock import FrameClock, Speaker
from webhook import ACCOUNT_SID

if TYPE_CHECKING:
    from load import Load

RINGS_PER_S = 50
ARRIVE_S = 0.5
HANG_UP_EVERY_S = 0.002

Speaks = TypeVar("Speaks", bound=Caller)


class Nobody:
    """Has the place of a caller who is not there."""

    is_speaking = False

    def speak(self) -> None:
        raise AssertionError("nobody speaks")


class Calls:
    """At most so many calls at once. Leaving the block ends those that are left."""

    def __init__(self, load: Load, most: int) -> None:
        self.live: list[Caller] = []
        self._load = load
        self._speakers: list[Speaker] = [Nobody()] * most
        self._free = spread(most)
        self._places: dict[Caller, int] = {}
        self.clock = FrameClock(self._speakers)

    async def __aenter__(self) -> Self:
        self._ticking = asyncio.create_task(self.clock.run())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        try:
            if kind is None:
                await self.hang_up(self.live.copy())
        finally:
            self.clock.stop()
            await self._ticking

    async def ring(self, number: int) -> None:
        """So many more, one after the other."""
        for _ in range(number):
            self.live.append(await self.begin(Caller))
            await asyncio.sleep(1 / RINGS_PER_S)

    async def begin(self, kind: type[Speaks]) -> Speaks:
        """One call, from the ring to the start of its stream; it is not among the live ones."""
        load = self._load
        caller = load.new_caller(kind)
        await caller.ring(load.sockets, await load.address(caller), ACCOUNT_SID)
        place = self._places[caller] = self._free.pop(0)
        self._speakers[place] = caller
        return caller

    async def hang_up(self, callers: Sequence[Caller]) -> None:
        """Each, after what was said has had time to arrive.

        They speak on until then, as a phone line does: one that is silent would be given silence by the bridge, in
        frames that were not sent.
        """
        for caller in callers:
            caller.expect_all()
        await asyncio.sleep(ARRIVE_S)
        for caller in callers:
            caller.hang_up()
            self._leave(caller)
            await asyncio.sleep(HANG_UP_EVERY_S)

    def forget_the_dead(self) -> None:
        """Those whose sockets the process under test closed."""
        for caller in self.live.copy():
            if not caller.is_open:
                self._leave(caller)

    def _leave(self, caller: Caller) -> None:
        place = self._places.pop(caller)
        self._speakers[place] = Nobody()
        self._free.insert(0, place)
        if caller in self.live:
            self.live.remove(caller)


def spread(number: int) -> list[int]:
    """All of range(number), so ordered that however many of the first are taken, they are spread evenly."""
    return sorted(range(number), key=lambda place: int(f"{place:032b}"[::-1], 2))

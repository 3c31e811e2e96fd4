"""Requests that are done together."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

import pytest

from telephony.live.gathering import Gathering

pytestmark = pytest.mark.asyncio


class Work:
    """Doubles numbers; the tests say when."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_end = asyncio.Event()

    async def __call__(self, keys: Collection[int]) -> Mapping[int, int | Exception]:
        self.batches.append(list(keys))
        await self.may_end.wait()
        if 99 in keys:
            raise OSError("no database")
        return {key: 2 * key if key >= 0 else ValueError(key) for key in keys}


async def begin(gathering: Gathering[int, int], *keys: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(gathering.get(key)) for key in keys]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_those_who_come_meanwhile_are_done_together_and_after_they_came() -> None:
    work = Work()
    gathering = Gathering(work)
    tasks = [*await begin(gathering, 1), *await begin(gathering, 2, 3)]

    work.may_end.set()

    assert await asyncio.gather(*tasks) == [2, 4, 6]
    assert work.batches == [[1], [2, 3]]
    assert await gathering.get(4) == 8


async def test_a_fault_of_one_is_not_the_others() -> None:
    work = Work()
    work.may_end.set()
    gathering = Gathering(work)

    bad, good = await begin(gathering, -1, 5)

    assert await good == 10
    with pytest.raises(ValueError, match="-1"):
        await bad


async def test_a_fault_of_the_work_is_everybodys_and_the_next_request_is_tried() -> None:
    work = Work()
    work.may_end.set()
    gathering = Gathering(work)

    for task in await begin(gathering, 99, 5):
        with pytest.raises(OSError, match="no database"):
            await task

    assert await gathering.get(6) == 12


async def test_who_does_not_wait_any_more_disturbs_nobody() -> None:
    work = Work()
    gathering = Gathering(work)
    gone, stays = await begin(gathering, 1, 2)
    gone.cancel()

    work.may_end.set()

    assert await stays == 4

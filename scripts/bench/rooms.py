"""Callers in rooms with agents: prints how long they waited. Run in an environment that has LiveKit's own client.

python scripts/bench/rooms.py URL KEY CALLS PIDS
PIDS: the processes whose CPU time is of interest, as JSON by name; "worker" is that of the agents.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

import httpx
from livekit import api
from processes import cpu_s, family, machine_busy_s, prefer, pss_kb

from telephony.livekit.agent.tests.caller import RoomCaller
from voiceapp.simulators.model.synthesis import chirp

ALONE = 3
SETTLE_S = 3.0  # until each has what a call needs
QUIET_S = 1.0
WITHIN_S = 40.0


class Call:
    """One person: `joined_s` and `greeted_s` after the request that dispatches the agent."""

    def __init__(self, client: httpx.AsyncClient, stack: AsyncExitStack) -> None:
        self._client, self._stack = client, stack
        self.joined_s = self.greeted_s = 0.0

    async def begin(self) -> None:
        began_at_s = time.monotonic()
        response = await self._client.post("/api/voice/session", json={"enableRecording": False})
        response.raise_for_status()
        opened = response.json()["session"]
        self.room = opened["roomName"]
        caller = self.caller = RoomCaller()
        self._stack.push_async_callback(caller.leave)
        await caller.join(opened["livekitHost"], opened["token"])
        await _until(lambda: caller.agent_came_at_s > 0)
        self.joined_s = caller.agent_came_at_s - began_at_s
        await caller.publish()
        await _until(lambda: bool(caller.loud_at_s))
        self.greeted_s = caller.loud_at_s[0] - began_at_s

    async def answered_s(self) -> float:
        """From the end of a sound to the first sound of the answer."""
        caller = self.caller
        await caller.hears_to_the_end(quiet_s=QUIET_S)
        caller.play(chirp())
        await _until(lambda: caller.has_spoken)
        await _until(lambda: caller.loud_at_s[-1] > caller.spoke_until_s)
        return next(at_s for at_s in caller.loud_at_s if at_s > caller.spoke_until_s) - caller.spoke_until_s


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not holds():  # noqa: ASYNC110 - frames of sound are no event
            await asyncio.sleep(0.005)


async def play(url: str, key: str, calls: int, pids: dict[str, int]) -> dict[str, object]:
    """One call after the other first, then so many at once."""
    worker, headers = pids["worker"], {"Authorization": f"Bearer {key}"}
    processes = len(family(worker))
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=WITHIN_S) as client,
        api.LiveKitAPI(os.environ["LIVEKIT_INTERNAL_URL"]) as livekit,
    ):

        async def end(ended: list[Call]) -> None:
            """And wait until the worker is as it was."""
            for call in ended:
                await livekit.room.delete_room(api.DeleteRoomRequest(room=call.room))
            await _until(lambda: len(family(worker)) <= processes)

        alone, answered_s = [], []
        for _ in range(ALONE):
            async with AsyncExitStack() as stack:
                call = Call(client, stack)
                await call.begin()
                alone.append(call)
                answered_s.append(await call.answered_s())
            await end([call])
        idle_kb, used_s = pss_kb(worker), _cpu_s(pids)
        began_at_s, busy_s = time.monotonic(), machine_busy_s()
        async with AsyncExitStack() as stack:
            together = [Call(client, stack) for _ in range(calls)]
            await asyncio.gather(*(call.begin() for call in together))
            used_s = {name: now_s - used_s[name] for name, now_s in _cpu_s(pids).items()}
            elsewhere_s = machine_busy_s() - busy_s - sum(used_s.values())
            elsewhere_use = elsewhere_s / (time.monotonic() - began_at_s)
            await asyncio.sleep(SETTLE_S)
            kb_per_call = (pss_kb(worker) - idle_kb) / calls
        await end(together)
    return {
        "joined_s": [call.joined_s for call in alone],
        "greeted_s": [call.greeted_s for call in alone],
        "answered_s": answered_s,
        "joined_at_once_s": [call.joined_s for call in together],
        "greeted_at_once_s": [call.greeted_s for call in together],
        "cpu_s_per_call": {name: each_s / calls for name, each_s in used_s.items()},
        "elsewhere_use": elsewhere_use,
        "kb_per_call": kb_per_call,
    }


def _cpu_s(pids: dict[str, int]) -> dict[str, float]:
    return {name: cpu_s(pid) for name, pid in pids.items()}


if __name__ == "__main__":
    prefer(os.getpid())
    watched = json.loads(sys.argv[4]) | {"callers": os.getpid()}
    print(json.dumps(asyncio.run(play(sys.argv[1], sys.argv[2], int(sys.argv[3]), watched))))

"""Plays one round of the load and prints what it saw: python scripts/bench/play.py '{"round": "steady", …}'"""

from __future__ import annotations

import gc
import resource
import sys
from collections.abc import Awaitable, Callable

import capacity
import first_word
import msgspec
import recorded
import ringing
import steady
import uvloop
import watched
from load import Load, Plan

ROUNDS: dict[str, Callable[[Load], Awaitable[object]]] = {
    "steady": steady.play,
    "capacity": capacity.play,
    "recorded": recorded.play,
    "ringing": ringing.play,
    "first_word": first_word.play,
    "watched": watched.play,
}


async def play(plan: Plan) -> object:
    return await ROUNDS[plan.round](Load(plan))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    gc.disable()  # a pause of the load would look like one of the process under test
    print(msgspec.json.encode(uvloop.run(play(msgspec.json.decode(sys.argv[1], type=Plan)))).decode())

"""Plays one round of the load and prints what it saw: python scripts/bench/play.py '{"round": "steady", …}'"""

from __future__ import annotations

import gc
import sys
from collections.abc import Awaitable, Callable

import msgspec
import steady
import uvloop
from load import Load, Plan

ROUNDS: dict[str, Callable[[Load], Awaitable[object]]] = {"steady": steady.play}


async def play(plan: Plan) -> object:
    return await ROUNDS[plan.round](Load(plan))


if __name__ == "__main__":
    gc.disable()  # a pause of the load would look like one of the process under test
    print(msgspec.json.encode(uvloop.run(play(msgspec.json.decode(sys.argv[1], type=Plan)))).decode())

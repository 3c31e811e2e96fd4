"""`python -m voiceapp.simulators.livekit --port 9300`: the simulator of LiveKit until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

import uvloop

from voiceapp.simulators.livekit.server import LiveKitSimulator


async def serve(simulator: LiveKitSimulator) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with simulator:
        sys.stdout.write(f"listening on {simulator.base_url}\n")
        sys.stdout.flush()
        await stopped.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m voiceapp.simulators.livekit", description="a simulated LiveKit")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9300, help="0 takes a free one")
    parser.add_argument("--agent-after-s", type=float, default=0.3, help="from a dispatch until the agent joins")
    parser.add_argument("--no-agents", action="store_true", help="without workers that register nobody joins")
    parser.add_argument(
        "--recordings", type=Path, default=None, help="the folder for files; by default a temporary one"
    )
    parser.add_argument(
        "--no-auto-create", action="store_true", help="rooms are created by requests alone, not by tokens"
    )
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        simulator = LiveKitSimulator(
            host=options.host,
            port=options.port,
            agent_after_s=options.agent_after_s,
            agent_names=() if options.no_agents else None,
            directory=options.recordings,
            auto_create=not options.no_auto_create,
        )
    except ValueError as exc:
        parser.error(str(exc))
    uvloop.run(serve(simulator))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

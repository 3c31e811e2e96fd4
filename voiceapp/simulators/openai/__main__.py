"""`python -m voiceapp.simulators.openai --port 9000`: the simulator of OpenAI until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys

import uvloop

from voiceapp.simulators.openai.server import OpenAISimulator


async def _serve(host: str, port: int) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    async with OpenAISimulator(host=host, port=port) as server:
        sys.stdout.write(f"listening on {server.address}\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="The simulator of OpenAI Realtime.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    uvloop.run(_serve(given.host, given.port))


if __name__ == "__main__":
    main()

"""`python -m voiceapp.simulators.openai --port 9000`: serve until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys

import uvloop

from voiceapp.simulators.openai.server import Server


async def _serve(host: str, port: int) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    async with Server(host=host, port=port) as server:
        sys.stdout.write(f"listening on {server.address}\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="OpenAI Realtime, played on this machine.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    uvloop.run(_serve(given.host, given.port))


if __name__ == "__main__":
    main()

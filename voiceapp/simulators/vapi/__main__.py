"""`python -m voiceapp.simulators.vapi --port 9500`: the simulator of VAPI until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys

import uvloop

from voiceapp.simulators.vapi.server import VapiSimulator


async def _serve(host: str, port: int, server_url: str) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    server = {"url": server_url} if server_url else None
    async with VapiSimulator(host=host, port=port, server=server) as simulator:
        sys.stdout.write(f"listening on {simulator.address}\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="The simulator of VAPI.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9500)
    parser.add_argument("--server-url", default="", help="the organization's server URL")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    uvloop.run(_serve(given.host, given.port, given.server_url))


if __name__ == "__main__":
    main()

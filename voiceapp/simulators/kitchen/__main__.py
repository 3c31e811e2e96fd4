"""`python -m voiceapp.simulators.kitchen --port 9200`: the kitchen of the demo until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys

from voiceapp.simulators.kitchen import KitchenSimulator


async def serve(kitchen: KitchenSimulator) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with kitchen:
        sys.stdout.write(f"listening on {kitchen.base_url}\n")
        sys.stdout.flush()
        await stopped.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m voiceapp.simulators.kitchen", description="prints order tickets")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9200, help="0 takes a free one")
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        kitchen = KitchenSimulator(host=options.host, port=options.port)
    except ValueError as exc:
        parser.error(str(exc))
    asyncio.run(serve(kitchen))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

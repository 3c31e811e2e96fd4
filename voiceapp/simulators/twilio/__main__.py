"""`python -m voiceapp.simulators.twilio --port 9100`: the simulator of Twilio until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys

import uvloop

from voiceapp.simulators.twilio.server import TwilioSimulator


async def serve(simulator: TwilioSimulator) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with simulator:
        sys.stdout.write(f"listening on {simulator.base_url}\n")
        sys.stdout.flush()
        await stopped.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m voiceapp.simulators.twilio", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100, help="0 takes a free one")
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("picows").setLevel(logging.WARNING)
    try:
        simulator = TwilioSimulator(host=options.host, port=options.port)
    except ValueError as exc:
        parser.error(str(exc))
    uvloop.run(serve(simulator))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""What the simulators' command lines share: listen, say where, and serve until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import uvloop


def parser_of(name: str, *, port: int, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m voiceapp.simulators.{name}", description=description)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=port, help="0 takes a free one")
    return parser


def run(server: AbstractAsyncContextManager[object], options: argparse.Namespace, *, address: Callable[[], str]) -> int:
    """`address` is read once the server listens. Returns the exit status: 1, and a sentence, if it cannot listen."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        uvloop.run(_serve(server, address))
    except OSError as exc:
        sys.stderr.write(f"{options.host}, port {options.port}: {exc.strerror or exc}. Choose another one by --port.\n")
        return 1
    return 0


async def _serve(server: AbstractAsyncContextManager[object], address: Callable[[], str]) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with server:
        sys.stdout.write(f"listening on {address()}\n")
        sys.stdout.flush()
        await stopped.wait()

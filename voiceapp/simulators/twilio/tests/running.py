"""The simulator of Twilio on an event loop in a thread of its own, for blocking clients."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from voiceapp.simulators.twilio import TwilioSimulator

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunningTwilio:
    """Its carrier may be used on its own loop only."""

    server: TwilioSimulator
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return self.server.base_url

    def fault_url(self, *faults: str) -> str:
        return self.url + "".join(f"/fault/{fault}" for fault in faults)

    def run(self, work: Coroutine[Any, Any, T], *, within_s: float = 30) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(within_s)

    def do(self, work: Callable[[TwilioSimulator], T]) -> T:
        async def here() -> T:
            return work(self.server)

        return self.run(here())


@contextlib.contextmanager
def running_twilio(*, account_sid: str, auth_token: str) -> Iterator[RunningTwilio]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="Twilio simulator", daemon=True)
    thread.start()
    running = RunningTwilio(TwilioSimulator(account_sid=account_sid, auth_token=auth_token), loop)
    running.run(running.server.__aenter__())
    try:
        yield running
    finally:
        running.run(running.server.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()

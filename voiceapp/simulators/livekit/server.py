"""The local LiveKit over HTTP: Twirp, and the control API. `async with Server(…) as server:`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

from aiohttp import web

from voiceapp.simulators.livekit.control import ControlApi
from voiceapp.simulators.livekit.door import TwirpDoor
from voiceapp.simulators.livekit.faults import Faults
from voiceapp.simulators.livekit.house import House

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Server:
    """Binds loopback only: who may reach the control API may do anything. Port 0 takes a free one.

    Keys by `LIVEKIT_API_KEY` and `LIVEKIT_API_SECRET`, webhook addresses by `LIVEKIT_WEBHOOK_URL` (commas between).
    `agent_after_s`: from a dispatch to the agent's joining. `agent_names`: the workers there are; None: for any name.
    `egress_step_s`: how long a recording takes to start and to end. `webhook_pause_s`: before the second try.
    `webhook_waits_for_s`: an event that waited longer behind others is dropped. `egress_wait_s`: how long the start of
    a recording takes to fail where no recorder is.
    `auto_create`: whether a token that is still good opens its room anew, as the real server's setting has it.
    `faults`: words like `agent_late=3` that hold for every room.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        api_secret: str | None = None,
        webhook_urls: Sequence[str] | None = None,
        faults: Iterable[str] = (),
        agent_after_s: float = 0.3,
        agent_names: Iterable[str] | None = None,
        egress_step_s: float = 0.2,
        webhook_pause_s: float = 1.0,
        webhook_waits_for_s: float = 30.0,
        egress_wait_s: float = 21.0,
        directory: Path | None = None,
        auto_create: bool = True,
    ) -> None:
        if host not in _LOOPBACK:
            raise ValueError(f"the local LiveKit listens on this machine alone, not on {host}")
        api_key = os.environ.get("LIVEKIT_API_KEY", "") if api_key is None else api_key
        api_secret = os.environ.get("LIVEKIT_API_SECRET", "") if api_secret is None else api_secret
        if not api_key or not api_secret:
            raise ValueError("LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be set")
        if webhook_urls is None:
            given = os.environ.get("LIVEKIT_WEBHOOK_URL", "").split(",")
            webhook_urls = [url.strip() for url in given if url.strip()]
        self._host, self._port = host, port
        self.house = House(
            api_key=api_key,
            api_secret=api_secret,
            webhook_urls=webhook_urls,
            faults=Faults.from_words(faults),
            agent_after_s=agent_after_s,
            agent_names=agent_names,
            egress_step_s=egress_step_s,
            webhook_pause_s=webhook_pause_s,
            webhook_waits_for_s=webhook_waits_for_s,
            egress_wait_s=egress_wait_s,
            directory=directory,
            auto_create=auto_create,
        )
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    def fault_url(self, *faults: str) -> str:
        """What goes into `LIVEKIT_INTERNAL_URL` for calls to go wrong: `fault_url("slow=300", "only=DeleteRoom")`."""
        return f"{self.base_url}{''.join(f'/fault/{fault}' for fault in faults)}"

    async def __aenter__(self) -> Server:
        await self.house.open()
        app = web.Application()
        TwirpDoor(self.house).add_to(app)
        ControlApi(self.house).add_to(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self.base_url = f"http://{self._host}:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._runner:
            await self._runner.cleanup()
        await self.house.close()

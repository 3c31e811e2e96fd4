"""The simulator of LiveKit over HTTP: Twirp, sockets and the control API."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

from aiohttp import web

from voiceapp.simulators.livekit.backend import LiveKitBackend
from voiceapp.simulators.livekit.control import ControlApi
from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.socket_api import SocketApi
from voiceapp.simulators.livekit.twirp_api import TwirpApi

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class LiveKitSimulator:
    """`async with LiveKitSimulator(…) as simulator:`. It listens on loopback only; port 0 takes a free port.

    Keys from `LIVEKIT_API_KEY` and `LIVEKIT_API_SECRET`, webhook URLs from `LIVEKIT_WEBHOOK_URL` (comma separated).
    `agent_after_s`: from a dispatch until the agent joins. `agent_names`: the workers; None: one for any name.
    `egress_step_s`: how long a recording takes to start and to end. `webhook_pause_s`: before the second attempt.
    `webhook_max_wait_s`: an event that waits longer behind others is dropped.
    `egress_wait_s`: after this time the start of a recording fails if there is no recorder.
    `auto_create`: whether a valid token creates its room, as the setting of the real server.
    `faults`: for every room, such as `agent_late=3`.
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
        webhook_max_wait_s: float = 30.0,
        egress_wait_s: float = 21.0,
        directory: Path | None = None,
        auto_create: bool = True,
    ) -> None:
        if host not in _LOOPBACK:
            raise ValueError(f"the simulator listens on this machine alone, not on {host}")
        api_key = os.environ.get("LIVEKIT_API_KEY", "") if api_key is None else api_key
        api_secret = os.environ.get("LIVEKIT_API_SECRET", "") if api_secret is None else api_secret
        if not api_key or not api_secret:
            raise ValueError("LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be set")
        if webhook_urls is None:
            given = os.environ.get("LIVEKIT_WEBHOOK_URL", "").split(",")
            webhook_urls = [url.strip() for url in given if url.strip()]
        self._host, self._port = host, port
        self.backend = LiveKitBackend(
            api_key=api_key,
            api_secret=api_secret,
            webhook_urls=webhook_urls,
            faults=LiveKitFaults.parse(faults),
            agent_after_s=agent_after_s,
            agent_names=agent_names,
            egress_step_s=egress_step_s,
            webhook_pause_s=webhook_pause_s,
            webhook_max_wait_s=webhook_max_wait_s,
            egress_wait_s=egress_wait_s,
            directory=directory,
            auto_create=auto_create,
        )
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    def fault_url(self, *faults: str) -> str:
        """A value of `LIVEKIT_INTERNAL_URL` with faults: `fault_url("slow=300", "only=DeleteRoom")`."""
        return f"{self.base_url}{''.join(f'/fault/{fault}' for fault in faults)}"

    async def __aenter__(self) -> LiveKitSimulator:
        await self.backend.open()
        app = web.Application()
        TwirpApi(self.backend).add_to(app)
        SocketApi(self.backend).add_to(app)
        ControlApi(self.backend).add_to(app)
        app.on_response_prepare.append(_allow_any_origin)
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
        await self.backend.close()


async def _allow_any_origin(request: web.Request, response: web.StreamResponse) -> None:
    """For pages of any address, as on the real server; also where nothing is found, which clients fall back from."""
    response.headers["Access-Control-Allow-Origin"] = "*"

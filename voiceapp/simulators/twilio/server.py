"""The simulator of Twilio over HTTP: the REST API and the control API of the phones."""

from __future__ import annotations

import os
from types import TracebackType

from aiohttp import web

from voiceapp.simulators.twilio.carrier import Carrier
from voiceapp.simulators.twilio.control import ControlApi
from voiceapp.simulators.twilio.rest import RestApi

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class TwilioSimulator:
    """`async with TwilioSimulator(…) as simulator:`. It listens on loopback only; port 0 takes a free port."""

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, account_sid: str | None = None, auth_token: str | None = None
    ) -> None:
        if host not in _LOOPBACK:
            raise ValueError(f"the simulator listens on this machine alone, not on {host}")
        account_sid = os.environ.get("TWILIO_ACCOUNT_SID", "") if account_sid is None else account_sid
        auth_token = os.environ.get("TWILIO_AUTH_TOKEN", "") if auth_token is None else auth_token
        if not account_sid or not auth_token:
            raise ValueError("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN must be set")
        self._host, self._port = host, port
        self.carrier = Carrier(account_sid=account_sid, auth_token=auth_token)
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        return self.carrier.account.base_url

    async def __aenter__(self) -> TwilioSimulator:
        await self.carrier.__aenter__()
        app = web.Application()
        RestApi(self.carrier).add_to(app)
        ControlApi(self.carrier).add_to(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.carrier.account.base_url = f"http://{self._host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.carrier.__aexit__(kind, exc, where)
        if self._runner:
            await self._runner.cleanup()

"""The HTTP server of the kitchen: signature, faults, repeated messages, tickets; and the cards of appointments."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import os
import re
import sys
import time
from collections import Counter
from types import TracebackType
from typing import Any

from aiohttp import web

from voiceapp.simulators.kitchen.appointment_card import appointment_card
from voiceapp.simulators.kitchen.order_ticket import order_ticket

_MAX_AGE_S = 300
_MAX_REMEMBERED = 10_000
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")

logger = logging.getLogger(__name__)


class KitchenSimulator:
    """`async with KitchenSimulator(secret=…) as kitchen:` accepts orders at `orders_url` and keeps them in `posts`."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, secret: str | None = None) -> None:
        if host not in _LOOPBACK:
            raise ValueError(f"the kitchen listens on this machine alone, not on {host}")
        self._secret = os.environ.get("ORDERS_SECRET", "") if secret is None else secret
        if not self._secret:
            raise ValueError("ORDERS_SECRET must be set")
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        self._received: dict[str, None] = {}
        self._failures: Counter[str] = Counter()
        self.base_url = ""
        self.posts: list[dict[str, Any]] = []
        self.repeats = 0
        self.rejected = 0

    @property
    def orders_url(self) -> str:
        return f"{self.base_url}/orders"

    async def __aenter__(self) -> KitchenSimulator:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_post(r"/{faults:(?:fault/[^/]+/)*}orders", self._receive)
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

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not self._is_signed(request.headers.get("Voiceapp-Signature", ""), body):
            self.rejected += 1
            return web.json_response({"error": "bad signature"}, status=403)
        message_id = request.headers.get("Voiceapp-Message-Id", "")
        if not message_id:
            return web.json_response({"error": "no Voiceapp-Message-Id"}, status=400)
        if (faulty := await self._inject_fault(request.match_info["faults"], message_id)) is not None:
            return faulty
        if message_id in self._received:
            self.repeats += 1
            return web.json_response({"received": True, "repeated": True})
        try:
            post = json.loads(body)
            text = appointment_card(post) if "appointment" in post else order_ticket(post)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            logger.warning("not an order: %r", exc)
            return web.json_response({"error": "not an order"}, status=422)
        self._remember(message_id)
        self.posts.append(post)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
        return web.json_response({"received": True})

    async def _inject_fault(self, faults: str, message_id: str) -> web.Response | None:
        injected = dict(part.partition("=")[::2] for part in faults.split("/") if part and part != "fault")
        if "hang" in injected:
            await asyncio.Event().wait()
        if self._failures[message_id] < int(injected.get("fail", 0) or 0):
            self._failures[message_id] += 1
            return web.json_response({"error": "injected fault"}, status=500)
        return None

    def _is_signed(self, header: str, body: bytes) -> bool:
        """`t=<unix>,v1=<hex HMAC-SHA-256 of "t.body">`, at most five minutes old."""
        found = _SIGNATURE.fullmatch(header)
        if not found or abs(time.time() - int(found[1])) > _MAX_AGE_S:
            return False
        expected = hmac.new(self._secret.encode(), found[1].encode() + b"." + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, found[2])

    def _remember(self, message_id: str) -> None:
        self._received[message_id] = None
        if len(self._received) > _MAX_REMEMBERED:
            del self._received[next(iter(self._received))]

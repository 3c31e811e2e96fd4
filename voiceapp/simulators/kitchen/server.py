"""The HTTP server of the kitchen: signatures, faults, repeated webhooks, tickets; and the cards of appointments."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import logging
import os
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
_PREFIX = "whsec_"
_FEWEST_KEY_BYTES, _MOST_KEY_BYTES = 24, 64
_DIGITS_OF_TIME = 12

logger = logging.getLogger(__name__)


class KitchenSimulator:
    """`async with KitchenSimulator(secret=…) as kitchen:` accepts webhooks at `orders_url` and keeps them in `posts`.

    Receives by the Standard Webhooks specification 1.0.0. Orders and appointments are printed.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, secret: str | None = None) -> None:
        if host not in _LOOPBACK:
            raise ValueError(f"the kitchen listens on this machine alone, not on {host}")
        self._key = _key_of(os.environ.get("ORDERS_SECRET", "") if secret is None else secret)
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
        message_id = request.headers.get("webhook-id", "")
        if not message_id or "." in message_id:
            return web.json_response({"error": "no webhook-id"}, status=400)
        if not self._is_signed(message_id, request, body):
            self.rejected += 1
            return web.json_response({"error": "bad signature"}, status=403)
        if (faulty := await self._inject_fault(request.match_info["faults"], message_id)) is not None:
            return faulty
        if message_id in self._received:
            self.repeats += 1
            return web.json_response({"received": True, "repeated": True})
        try:
            post = json.loads(body)
            text = _printed(post)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            logger.warning("not a webhook: %r", exc)
            return web.json_response({"error": "not a webhook"}, status=422)
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

    def _is_signed(self, message_id: str, request: web.Request, body: bytes) -> bool:
        """One of the `v1` signatures is the HMAC-SHA-256 of `id.timestamp.body`, at most five minutes old."""
        sent_at = request.headers.get("webhook-timestamp", "")
        if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= _DIGITS_OF_TIME):
            return False
        if abs(time.time() - int(sent_at)) > _MAX_AGE_S:
            return False
        digest = hmac.new(self._key, f"{message_id}.{sent_at}.".encode() + body, hashlib.sha256).digest()
        expected = f"v1,{base64.b64encode(digest).decode()}".encode()
        found = request.headers.get("webhook-signature", "").split(" ")
        # All are compared: the time that this takes says nothing.
        return sum(hmac.compare_digest(expected, each.encode()) for each in found) > 0

    def _remember(self, message_id: str) -> None:
        self._received[message_id] = None
        if len(self._received) > _MAX_REMEMBERED:
            del self._received[next(iter(self._received))]


def _key_of(secret: str) -> bytes:
    """The bytes of `whsec_<base64>`. Raises ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(_PREFIX) or not _FEWEST_KEY_BYTES <= len(key) <= _MOST_KEY_BYTES:
        raise ValueError("ORDERS_SECRET must be whsec_ and the base64 of 24 to 64 bytes")
    return key


def _printed(post: dict[str, Any]) -> str:
    kind, _, change = str(post["type"]).partition(".")
    if kind == "order" and change != "state_changed":
        return order_ticket(post)
    if kind == "appointment":
        return appointment_card(post)
    return f"{post['type']} at {post['timestamp']}, {len(post['data'])} fields"

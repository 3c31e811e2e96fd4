"""Webhooks of a call to a server URL: in order, sent once unless the server has a `backoffPlan` (protocols.md, C3)."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from voiceapp.simulators.vapi.credentials import Credentials
from voiceapp.simulators.vapi.faults import VapiFaults

_TIMEOUT_S = 20.0
_MAX_KEPT = 5000
Server = Mapping[str, Any]


@dataclass(slots=True)
class SentWebhook:
    """One webhook. `statuses`: of each attempt; 0: no response."""

    type: str
    url: str
    body: str
    headers: dict[str, str]
    statuses: list[int] = field(default_factory=list)
    response: str = ""

    @property
    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.body)["message"]
        return message

    @property
    def is_received(self) -> bool:
        return bool(self.statuses) and 200 <= self.statuses[-1] < 300


class WebhookSender:
    """Shared by all calls; `sent` has the newest."""

    def __init__(self, credentials: Credentials) -> None:
        self.sent: deque[SentWebhook] = deque(maxlen=_MAX_KEPT)
        self._credentials = credentials
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(
        self, server: Server, message: Mapping[str, Any], faults: VapiFaults, *, timeout_s: float | None = None
    ) -> dict[str, Any] | None:
        """The JSON object of a response with status 200; None for every other one, as VAPI reads it."""
        body = json.dumps({"message": message}).encode()
        url = str(server["url"])
        headers = self._credentials.headers(server, url, body, is_forged="wrong_secret" in faults)
        webhook = SentWebhook(str(message["type"]), url, body.decode(), headers)
        self.sent.append(webhook)
        plan = server.get("backoffPlan") or {}
        for attempt in range(1 + int(plan.get("maxRetries") or 0)):
            if attempt:
                await asyncio.sleep(_pause_s(plan, attempt))
            await self._post(webhook, body, timeout_s or float(server.get("timeoutSeconds") or _TIMEOUT_S))
            if webhook.is_received:
                break
        return _object(webhook.response) if webhook.statuses[-1] == 200 else None

    async def _post(self, webhook: SentWebhook, body: bytes, timeout_s: float) -> None:
        assert self._session is not None, "the HTTP client is not open"
        headers = {"Content-Type": "application/json", "User-Agent": "Vapi", **webhook.headers}
        try:
            async with self._session.post(
                webhook.url, data=body, headers=headers, timeout=aiohttp.ClientTimeout(total=timeout_s)
            ) as response:
                webhook.response = await response.text(errors="replace")
                webhook.statuses.append(response.status)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            webhook.statuses.append(0)


class CallWebhooks:
    """The webhooks of one call that report: sent in order by one task."""

    def __init__(self, sender: WebhookSender, faults: VapiFaults) -> None:
        self._sender, self._faults = sender, faults
        self._queue: asyncio.Queue[tuple[Server, dict[str, Any]]] = asyncio.Queue()
        self._held: tuple[Server, dict[str, Any]] | None = None
        self._task = asyncio.get_running_loop().create_task(self._run())

    def report(self, server: Server, message: dict[str, Any]) -> None:
        """Queue a webhook whose response means nothing; the fault `webhooks_reordered` swaps two neighbors."""
        if "webhooks_lost" in self._faults:
            return
        copied = (server, json.loads(json.dumps(message)))
        if "webhooks_reordered" in self._faults:
            if self._held is None:
                self._held = copied
                return
            self._queue.put_nowait(copied)
            copied, self._held = self._held, None
        self._queue.put_nowait(copied)

    async def request(
        self, server: Server, message: dict[str, Any], *, timeout_s: float | None = None
    ) -> dict[str, Any] | None:
        """Send a webhook at once and read its response; with the fault `webhooks_twice` the second one counts."""
        if "webhooks_twice" in self._faults:
            await self._sender.send(server, message, self._faults, timeout_s=timeout_s)
        return await self._sender.send(server, message, self._faults, timeout_s=timeout_s)

    async def aclose(self) -> None:
        """Wait until all are delivered or given up."""
        if self._held is not None:
            self._queue.put_nowait(self._held)
            self._held = None
        try:
            await self._queue.join()
        finally:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            server, message = await self._queue.get()
            try:
                await asyncio.sleep(self._faults.seconds("late_webhooks"))
                for _ in range(2 if "webhooks_twice" in self._faults else 1):
                    await self._sender.send(server, message, self._faults)
            finally:
                self._queue.task_done()


def timestamp() -> int:
    return round(time.time() * 1000)


def _pause_s(plan: Mapping[str, Any], attempt: int) -> float:
    base_s = float(plan.get("baseDelaySeconds") or 0)
    kind = plan.get("type")
    is_fixed = (kind.get("type") if isinstance(kind, dict) else kind) == "fixed"
    return base_s if is_fixed else base_s * 2 ** (attempt - 1)


def _object(text: str) -> dict[str, Any] | None:
    try:
        read = json.loads(text)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None

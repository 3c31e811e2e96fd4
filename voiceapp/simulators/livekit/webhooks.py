"""Webhooks: signed, in order per room and per recording, tried five times in about 15 s.

As in livekit-server 1.13.5, an event is dropped if it waits for over 30 s behind others, or behind 200 others.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp
from google.protobuf import json_format
from google.protobuf.message import Message
from livekit.protocol.webhook import WebhookEvent

from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.ids import new_id
from voiceapp.simulators.livekit.tokens import ApiKeyPair

_MAX_ATTEMPTS = 5
_MAX_PAUSE_S = 30.0
_TOKEN_VALID_S = 300
_TIMEOUT_S = 10
_REORDER_WAIT_S = 1.0
_MAX_KEPT = 5000
_MAX_QUEUED = 200
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class SentWebhook:
    """One webhook to one URL. `statuses`: of each attempt; 0: no response."""

    event: str
    id: str
    url: str
    body: str
    authorization: str
    statuses: list[int] = field(default_factory=list)

    @property
    def is_received(self) -> bool:
        return bool(self.statuses) and 200 <= self.statuses[-1] < 300


@dataclass(frozen=True, slots=True)
class _QueuedEvent:
    event: WebhookEvent
    faults: LiveKitFaults
    queued_at_s: float


class WebhookSender:
    """`await idle()` returns when every webhook is delivered, given up or dropped."""

    def __init__(self, key: ApiKeyPair, urls: Sequence[str], *, first_pause_s: float, max_wait_s: float) -> None:
        self.urls = list(urls)
        self.deliveries: deque[SentWebhook] = deque(maxlen=_MAX_KEPT)
        self._api_key = key
        self._first_pause_s, self._max_wait_s = first_pause_s, max_wait_s
        self._queues: dict[str, asyncio.Queue[_QueuedEvent]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    def emit(self, event: str, *, key: str, faults: LiveKitFaults, **content: Message) -> WebhookEvent:
        """Queue an event behind the earlier ones of the same partition key. The messages are copied now."""
        message = WebhookEvent(event=event, id=new_id("EV"), created_at=int(time.time()), **content)  # type: ignore[arg-type]  # a oneof of names
        if faults.applies_to("webhook_no_id", event):
            message.ClearField("id")
        if faults.applies_to("webhook_no_time", event):
            message.ClearField("created_at")
        if self.urls and not faults.applies_to("webhook_lost", event):
            queue = self._queue(key)
            if queue.qsize() < _MAX_QUEUED:
                queue.put_nowait(_QueuedEvent(message, faults, time.monotonic()))
            else:
                _log.warning("dropped %s: %s events are queued", event, _MAX_QUEUED)
        return message

    async def idle(self) -> None:
        await asyncio.gather(*(queue.join() for queue in list(self._queues.values())))

    async def send_again(self, delivery: SentWebhook) -> SentWebhook:
        """Send the same bytes with the same signature, as a replay or a repetition."""
        repeat = SentWebhook(delivery.event, delivery.id, delivery.url, delivery.body, delivery.authorization)
        self.deliveries.append(repeat)
        await self._deliver(repeat)
        return repeat

    def signed(self, body: str, *, is_forged: bool = False) -> str:
        """The Authorization header of a body: a bare token, no "Bearer "."""
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        return self._api_key.sign({"sha256": digest}, valid_s=_TOKEN_VALID_S, is_forged=is_forged)

    def _queue(self, key: str) -> asyncio.Queue[_QueuedEvent]:
        if key not in self._queues:
            self._queues[key] = asyncio.Queue()
            task = asyncio.create_task(self._process(self._queues[key]), name=f"webhooks {key}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return self._queues[key]

    async def _process(self, queue: asyncio.Queue[_QueuedEvent]) -> None:
        while True:
            in_order = [await queue.get()]
            if "webhook_reordered" in in_order[0].faults:
                with contextlib.suppress(TimeoutError):
                    in_order.insert(0, await asyncio.wait_for(queue.get(), _REORDER_WAIT_S))
            for queued in in_order:
                if time.monotonic() - queued.queued_at_s > self._max_wait_s:
                    _log.warning("dropped %s: it waited too long", queued.event.event)
                else:
                    await self._send(queued)
                queue.task_done()

    async def _send(self, queued: _QueuedEvent) -> None:
        event, faults = queued.event, queued.faults
        if "webhook_late" in faults:
            await asyncio.sleep(faults.number("webhook_late"))
        body = json_format.MessageToJson(event, indent=None)
        authorization = self.signed(body, is_forged=faults.applies_to("webhook_bad_signature", event.event))
        times = 2 if faults.applies_to("webhook_twice", event.event) else 1
        for url in self.urls * times:
            delivery = SentWebhook(event.event, event.id, url, body, authorization)
            self.deliveries.append(delivery)
            await self._deliver(delivery)

    async def _deliver(self, delivery: SentWebhook) -> None:
        """Retry after no response, 429 and 5xx; any other status is final."""
        for number in range(_MAX_ATTEMPTS):
            if number:
                await asyncio.sleep(min(self._first_pause_s * 2 ** (number - 1), _MAX_PAUSE_S))
            status = await self._post(delivery)
            delivery.statuses.append(status)
            if status not in (0, 429) and status < 500:
                return
        _log.warning("gave up %s to %s: %s", delivery.event, delivery.url, delivery.statuses)

    async def _post(self, delivery: SentWebhook) -> int:
        assert self._session, "the HTTP client is not open"
        headers = {
            "Authorization": delivery.authorization,
            "Content-Type": "application/webhook+json",
            "User-Agent": "LiveKit",
        }
        try:
            async with self._session.post(delivery.url, data=delivery.body.encode(), headers=headers) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0

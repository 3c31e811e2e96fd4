"""Webhooks: signed, in order per room and per recording, tried five times in about 15 s.

As livekit-server 1.13.5 has it: what waited for over 30 s behind others is dropped, and so is what finds 200 waiting.
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

from voiceapp.simulators.livekit.faults import Faults
from voiceapp.simulators.livekit.identifiers import new_id
from voiceapp.simulators.livekit.tokens import Keys

_TRIES = 5
_LONGEST_PAUSE_S = 30.0
_TOKEN_VALID_S = 300
_LONGEST_ANSWER_S = 10
_WAIT_FOR_ANOTHER_S = 0.3
_MOST_REMEMBERED = 5000
_MOST_WAITING = 200
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Delivery:
    """One webhook to one address: what was sent, and what was answered to each try (0: nothing)."""

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
class _Waiting:
    event: WebhookEvent
    faults: Faults
    queued_at_s: float


class Webhooks:
    """`await idle()` returns when everything has been delivered, given up or dropped."""

    def __init__(self, keys: Keys, urls: Sequence[str], *, first_pause_s: float, waits_for_s: float) -> None:
        self.urls = list(urls)
        self.deliveries: deque[Delivery] = deque(maxlen=_MOST_REMEMBERED)
        self._keys = keys
        self._first_pause_s, self._waits_for_s = first_pause_s, waits_for_s
        self._lanes: dict[str, asyncio.Queue[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_LONGEST_ANSWER_S))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    def emit(self, event: str, *, key: str, faults: Faults, **about: Message) -> WebhookEvent:
        """Queue it behind the earlier ones of the same key. The messages are copied as they are now."""
        message = WebhookEvent(event=event, id=new_id("EV"), created_at=int(time.time()), **about)  # type: ignore[arg-type]  # a oneof of names
        if faults.hits("webhook_no_id", event):
            message.ClearField("id")
        if faults.hits("webhook_no_time", event):
            message.ClearField("created_at")
        if self.urls and not faults.hits("webhook_lost", event):
            lane = self._lane(key)
            if lane.qsize() < _MOST_WAITING:
                lane.put_nowait(_Waiting(message, faults, time.monotonic()))
            else:
                _log.warning("dropped %s: %s events wait", event, _MOST_WAITING)
        return message

    async def idle(self) -> None:
        await asyncio.gather(*(lane.join() for lane in list(self._lanes.values())))

    async def send_again(self, delivery: Delivery) -> Delivery:
        """The same bytes with the same signature, as a replay or a repeat would."""
        repeat = Delivery(delivery.event, delivery.id, delivery.url, delivery.body, delivery.authorization)
        self.deliveries.append(repeat)
        await self._try(repeat)
        return repeat

    def signed(self, body: str, *, is_forged: bool = False) -> str:
        """The Authorization header of a body: a bare token, no "Bearer "."""
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        return self._keys.sign({"sha256": digest}, valid_s=_TOKEN_VALID_S, is_forged=is_forged)

    def _lane(self, key: str) -> asyncio.Queue[_Waiting]:
        if key not in self._lanes:
            self._lanes[key] = asyncio.Queue()
            task = asyncio.create_task(self._work(self._lanes[key]), name=f"webhooks {key}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return self._lanes[key]

    async def _work(self, lane: asyncio.Queue[_Waiting]) -> None:
        while True:
            in_order = [await lane.get()]
            if "webhook_reordered" in in_order[0].faults:
                with contextlib.suppress(TimeoutError):
                    in_order.insert(0, await asyncio.wait_for(lane.get(), _WAIT_FOR_ANOTHER_S))
            for waiting in in_order:
                if time.monotonic() - waiting.queued_at_s > self._waits_for_s:
                    _log.warning("dropped %s: it waited too long", waiting.event.event)
                else:
                    await self._send(waiting)
                lane.task_done()

    async def _send(self, waiting: _Waiting) -> None:
        event, faults = waiting.event, waiting.faults
        if "webhook_late" in faults:
            await asyncio.sleep(faults.number("webhook_late"))
        body = json_format.MessageToJson(event, indent=None)
        authorization = self.signed(body, is_forged=faults.hits("webhook_bad_signature", event.event))
        times = 2 if faults.hits("webhook_twice", event.event) else 1
        for url in self.urls * times:
            delivery = Delivery(event.event, event.id, url, body, authorization)
            self.deliveries.append(delivery)
            await self._try(delivery)

    async def _try(self, delivery: Delivery) -> None:
        """Again after no answer, 429 and 5xx; any other answer is the last word."""
        for number in range(_TRIES):
            if number:
                await asyncio.sleep(min(self._first_pause_s * 2 ** (number - 1), _LONGEST_PAUSE_S))
            status = await self._post(delivery)
            delivery.statuses.append(status)
            if status not in (0, 429) and status < 500:
                return
        _log.warning("gave up %s to %s: %s", delivery.event, delivery.url, delivery.statuses)

    async def _post(self, delivery: Delivery) -> int:
        assert self._session, "the webhooks' client is not open"
        headers = {
            "Authorization": delivery.authorization,
            "Content-Type": "application/webhook+json",
            "User-Agent": "LiveKit",
        }
        try:
            async with self._session.post(delivery.url, data=delivery.body.encode(), headers=headers) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0

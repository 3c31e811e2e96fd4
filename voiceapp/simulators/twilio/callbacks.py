"""Status callbacks of one call: one task sends them in order, without a retry; faults repeat or reorder them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from voiceapp.simulators.twilio.faults import TwilioFaults
from voiceapp.simulators.twilio.webhooks import WebhookClient, WebhookFailed

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Callback:
    url: str
    params: Mapping[str, str]
    method: str = "POST"


class Callbacks:
    def __init__(self, webhooks: WebhookClient, faults: TwilioFaults) -> None:
        self._webhooks = webhooks
        self._faults = faults
        self._queue: asyncio.Queue[Callback] = asyncio.Queue()
        self._held: list[Callback] = []
        self._task: asyncio.Task[None] | None = None
        self.statuses: list[int] = []  # 0: no response

    def send(self, callback: Callback) -> None:
        if not callback.url:
            return
        if "callbacks_reordered" in self._faults:
            self._held.insert(0, callback)
        else:
            self._enqueue(callback)

    async def finish(self) -> None:
        """Return when all callbacks were sent or have failed."""
        for callback in self._held:
            self._enqueue(callback)
        self._held.clear()
        await self._queue.join()
        self.stop()

    def stop(self) -> None:
        """Send no more callbacks."""
        if self._task:
            self._task.cancel()

    def _enqueue(self, callback: Callback) -> None:
        for _ in range(2 if "callbacks_doubled" in self._faults else 1):
            self._queue.put_nowait(callback)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="status callbacks")

    async def _run(self) -> None:
        while True:
            callback = await self._queue.get()
            try:
                response = await self._webhooks.request(
                    callback.url,
                    callback.params,
                    method=callback.method,
                    has_valid_signature=not self._faults.breaks_signature_of("callbacks"),
                )
                self.statuses.append(response.status)
            except WebhookFailed as exc:
                logger.warning("status callback failed: %s", exc)
                self.statuses.append(0)
            finally:
                self._queue.task_done()

"""Status callbacks of one call: sent in order by one task, fire and forget; their faults double or reorder them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from voiceapp.simulators.twilio.faults import Faults
from voiceapp.simulators.twilio.webhooks import WebhookFailed, Webhooks

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Callback:
    url: str
    params: Mapping[str, str]
    method: str = "POST"


class Callbacks:
    def __init__(self, webhooks: Webhooks, faults: Faults) -> None:
        self._webhooks = webhooks
        self._faults = faults
        self._queue: asyncio.Queue[Callback] = asyncio.Queue()
        self._held: list[Callback] = []
        self._task: asyncio.Task[None] | None = None
        self.statuses: list[int] = []  # what the application answered; 0: nothing

    def send(self, callback: Callback) -> None:
        if not callback.url:
            return
        if "callbacks_reordered" in self._faults:
            self._held.insert(0, callback)
        else:
            self._enqueue(callback)

    async def finish(self) -> None:
        """Everything that was to be sent has been, or failed."""
        for callback in self._held:
            self._enqueue(callback)
        self._held.clear()
        await self._queue.join()
        self.stop()

    def stop(self) -> None:
        """Send nothing any more."""
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
                answer = await self._webhooks.request(
                    callback.url,
                    callback.params,
                    method=callback.method,
                    is_signed_right=not self._faults.spoils_signature_of("callbacks"),
                )
                self.statuses.append(answer.status)
            except WebhookFailed as exc:
                logger.warning("status callback lost: %s", exc)
                self.statuses.append(0)
            finally:
                self._queue.task_done()

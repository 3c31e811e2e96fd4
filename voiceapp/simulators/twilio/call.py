"""One call: it rings, is answered, executes TwiML until one side hangs up, and is reported."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import quote

from voiceapp.simulators.twilio.execution import document_after_failure, execute
from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.report import Report, report_of
from voiceapp.simulators.twilio.status import Status
from voiceapp.simulators.twilio.twiml import Document, TwimlError, parse
from voiceapp.simulators.twilio.webhooks import WebhookFailed, new_idempotency_token

T = TypeVar("T")


class SimulatedCall(CallLeg):
    """The first leg of a call. Made by `Carrier`."""

    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"call {self.sid}")

    async def done(self) -> Report:
        """Wait until the call has ended and its last callback has a response. Raises what broke the script."""
        assert self._task
        await asyncio.shield(self._task)
        return self.report

    async def wait_for_end(self, *, within_s: float) -> bool:
        """The same for a limited time and without raising. Returns whether the call has ended."""
        assert self._task
        await asyncio.wait({self._task}, timeout=within_s)
        return self.is_done

    @property
    def is_done(self) -> bool:
        return self._task is not None and self._task.done()

    @property
    def report(self) -> Report:
        return report_of(self)

    async def cancel(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        final = Status.FAILED
        try:
            final = await self._converse()
        finally:
            await self.finish(final)

    async def _converse(self) -> Status:
        document = await self._unless_interrupted(self._first_document())
        if document is None:
            is_canceled = not self.status.is_final and self.status is not Status.IN_PROGRESS
            return Status.CANCELED if is_canceled else self.status
        if document.verbs and document.verbs[0].name == "Reject":
            self.ended_by = "application"
            return Status.BUSY if document.verbs[0].get("reason") == "busy" else Status.FAILED
        if self.status is not Status.IN_PROGRESS:
            self.answer()
        self.start_script()
        limit = asyncio.create_task(self._hang_up_at_the_limit())
        try:
            while document is not None:
                document = await self._execute(document)
        finally:
            limit.cancel()
        return Status.COMPLETED

    async def _first_document(self) -> Document | None:
        """Inbound: fetch it, then answer. Outbound: the person answers, then it is fetched. None: not answered."""
        if self.plan.direction == "inbound":
            self.progress.change_to(Status.RINGING)
        elif not await self.ring():
            return None
        else:
            self.answer()
        try:
            if self.plan.twiml and not self.plan.voice_url:
                return parse(self.plan.twiml, url=self.account.base_url)
            return await self._fetch_first_document()
        except (WebhookFailed, TwimlError) as exc:
            self.log.notice(exc.code, exc.message)
            return await document_after_failure(self)

    async def _fetch_first_document(self) -> Document:
        token = new_idempotency_token()
        repeats = int(self.faults.number("repeat_webhook")) if "repeat_webhook" in self.faults else 0
        url, method = self.plan.voice_url, self.plan.voice_method
        extra = self._call_token()
        requests = [self.request(url, method=method, token=token, extra=extra) for _ in range(1 + repeats)]
        responses = await asyncio.gather(*requests)
        self.log.first_responses = [response.text for response in responses]
        return self.read_document(url, responses[0])

    def _call_token(self) -> dict[str, str]:
        """What an incoming call's first webhook carries so that its caller's number may be shown to others."""
        if self.plan.direction != "inbound":
            return {}
        self.token = quote(json.dumps({"parentCallInfoToken": secrets.token_urlsafe(48), "identityHeaderTokens": []}))
        return {"CallToken": self.token}

    async def _execute(self, document: Document) -> Document | None:
        """Run a document to its end or until it is interrupted. Returns the next document; None: the call is over."""
        running = asyncio.create_task(execute(self, document), name=f"twiml {self.sid}")
        try:
            await self._wait_for(running)
        finally:
            if not running.done():
                running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        if not running.cancelled() and (error := running.exception()):
            raise error
        if not self.interruption.done():
            self.ended_by = "application"
            return None
        following = self.interruption.result()
        if following is not None:
            self.interruption = asyncio.get_running_loop().create_future()
        return following

    async def _unless_interrupted(self, work: Coroutine[Any, Any, T]) -> T | None:
        running = asyncio.create_task(work)
        try:
            await self._wait_for(running)
            return running.result() if running.done() else None
        finally:
            if not running.done():
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def _wait_for(self, running: asyncio.Task[T]) -> None:
        """Until it is done or interrupted."""
        futures: set[asyncio.Future[Any]] = {running, self.interruption}
        await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)

    async def _hang_up_at_the_limit(self) -> None:
        await self.line.wait_ms(self.plan.limit_s * 1000)
        self.hang_up(by="limit")

"""One call: it rings, is answered, obeys TwiML until somebody hangs up, and reports its statuses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from voiceapp.simulators.twilio import application
from voiceapp.simulators.twilio.callbacks import Callbacks
from voiceapp.simulators.twilio.events import Event, Notice, Request
from voiceapp.simulators.twilio.identifiers import new_idempotency_token, new_sid
from voiceapp.simulators.twilio.line import Line
from voiceapp.simulators.twilio.numbers import Answers, Number
from voiceapp.simulators.twilio.person import Person
from voiceapp.simulators.twilio.plan import Plan, Status
from voiceapp.simulators.twilio.progress import Progress
from voiceapp.simulators.twilio.recording import stereo_wav
from voiceapp.simulators.twilio.report import Report, report_of
from voiceapp.simulators.twilio.steps import Step, as_steps
from voiceapp.simulators.twilio.twiml import Document, TwimlError, parse
from voiceapp.simulators.twilio.webhooks import Answer, WebhookFailed

if TYPE_CHECKING:
    from voiceapp.simulators.twilio.carrier import Carrier
    from voiceapp.simulators.twilio.media_stream import MediaStream

T = TypeVar("T")


class LocalCall:
    """A leg: one person's line and the application at the other end. Made by `Carrier`."""

    def __init__(self, carrier: Carrier, plan: Plan, *, phone: Number | None = None) -> None:
        self.carrier = carrier
        self.plan = plan
        self.phone = phone
        self.sid = new_sid("CA")
        self.faults = plan.faults
        self.ended_by = ""
        self.on_digit: Callable[[str], None] | None = None
        self.events: list[Event] = []
        self.notices: list[Notice] = []
        self.requests: list[Request] = []
        self.webhook_answers: list[str] = []
        self.streams: list[MediaStream] = []
        self.dialed: list[LocalCall] = []
        self.recordings: list[str] = []
        self.line = Line(carrier.ticker, noise=plan.noise, keeps_sound=plan.keeps_sound)
        self.person = Person(
            self.line, plan.manners, press=self._digit, hang_up=lambda: self.hang_up(by="caller"), log=self.log
        )
        self.callbacks = Callbacks(carrier.webhooks, plan.faults)
        self.progress = Progress(plan, self.callbacks, self.params)
        self._order: asyncio.Future[Document | None] = asyncio.get_running_loop().create_future()
        self._steps: asyncio.Queue[Step] = asyncio.Queue()
        for step in plan.steps:
            self._steps.put_nowait(step)
        self._script: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    # what others do with a call

    def start(self) -> None:
        self._task = asyncio.create_task(self._live(), name=f"call {self.sid}")

    async def done(self) -> Report:
        """Wait until the call has ended and its last callback was answered. Raises what broke the script."""
        assert self._task
        await asyncio.shield(self._task)
        return self.report

    async def over(self, *, within_s: float) -> bool:
        """Wait for the same, but no longer and raising nothing; whether it has ended."""
        assert self._task
        await asyncio.wait({self._task}, timeout=within_s)
        return self.is_done

    def do_steps(self, given: Iterable[object]) -> None:
        """More for the caller to do, after what was asked before. Raise ValueError for steps not understood."""
        for step in as_steps(given):
            self._steps.put_nowait(step)

    @property
    def is_done(self) -> bool:
        return self._task is not None and self._task.done()

    @property
    def report(self) -> Report:
        return report_of(self)

    @property
    def status(self) -> Status:
        return self.progress.status

    @property
    def answered_at(self) -> datetime | None:
        return self.progress.answered_at

    @property
    def duration_s(self) -> int:
        return self.progress.duration_s

    @property
    def recording(self) -> bytes:
        """Stereo WAV, from the answer to the end or to now: left the caller, right what the caller heard."""
        return stereo_wav(bytes(self.line.said), bytes(self.line.heard))

    def hang_up(self, *, by: str) -> None:
        if not self._order.done():
            self.ended_by = by
            self._order.set_result(None)

    def obey_instead(self, document: Document) -> None:
        """Break off what is running and run this, as a REST update does."""
        if not self._order.done():
            self._order.set_result(document)

    async def cancel(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # what verbs need

    def log(self, what: str, **details: object) -> None:
        self.events.append(Event(self.line.now_ms, what, details))

    def notice(self, code: int, message: str) -> None:
        """What Twilio's debugger would show."""
        self.notices.append(Notice(self.line.now_ms, code, message))
        self.log("notice", code=code, message=message)

    def params(self, **extra: str) -> dict[str, str]:
        """The form of every voice request of this call."""
        params = {
            "CallSid": self.sid,
            "AccountSid": self.carrier.account_sid,
            "From": self.plan.from_number,
            "To": self.plan.to_number,
            "Caller": self.plan.from_number,
            "Called": self.plan.to_number,
            "CallStatus": self.status.value,
            "ApiVersion": "2010-04-01",
            "Direction": self.plan.direction,
            **{f"{side}{what}": "" for side in ("From", "To") for what in ("City", "State", "Zip", "Country")},
        }
        if self.plan.parent_sid:
            params["ParentCallSid"] = self.plan.parent_sid
        return params | extra

    async def fetch(self, url: str, *, method: str = "POST", extra: Mapping[str, str] | None = None) -> Document:
        """Ask the application what to do. Raise WebhookFailed or TwimlError."""
        return self._document(url, await self._ask(url, method=method, extra=extra or {}))

    # its life

    async def ring(self) -> bool:
        """Let the person's phone ring; whether it was answered. Sets the final status if not."""
        assert self.phone
        self.progress.move_to(Status.INITIATED)
        self.progress.move_to(Status.RINGING)
        if self.phone.answers is Answers.NO_ANSWER:
            await asyncio.sleep(self.plan.ring_s)
            self.progress.move_to(Status.NO_ANSWER)
        elif self.phone.answers is Answers.BUSY:
            self.progress.move_to(Status.BUSY)
        elif self.phone.answers_after_ms > self.plan.ring_s * 1000:
            await asyncio.sleep(self.plan.ring_s)
            self.progress.move_to(Status.NO_ANSWER)
        else:
            await asyncio.sleep(self.phone.answers_after_ms / 1000)
            return True
        return False

    def answer(self) -> None:
        self.line.open()
        self.progress.move_to(Status.IN_PROGRESS)
        self.log("answered")

    def start_script(self) -> None:
        self._script = asyncio.create_task(self._do_steps(), name=f"script {self.sid}")
        self._script.add_done_callback(self._script_done)

    async def stay_until_hung_up(self, *, within_s: float | None = None) -> None:
        await asyncio.wait({self._order}, timeout=within_s)

    async def finish(self, status: Status) -> None:
        """End it: nothing is said or heard any more, the last callbacks go out. Raises what broke the script."""
        if not status.is_final:
            status = Status.COMPLETED
        self.line.mouth.be_silent()
        if self._script and not self._script.done():
            self._script.cancel()
            await asyncio.gather(self._script, return_exceptions=True)
        self.log("ended", by=self.ended_by)
        self.line.close()
        self.progress.move_to(status)
        current = asyncio.current_task()
        if current and current.cancelling():
            self.callbacks.stop()
        else:
            await self.callbacks.finish()
        if self._script and not self._script.cancelled() and (broken := self._script.exception()):
            raise broken

    async def _live(self) -> None:
        final = Status.FAILED
        try:
            final = await self._conversation()
        finally:
            await self.finish(final)

    async def _conversation(self) -> Status:
        document = await self._unless_told_otherwise(self._answered_document())
        if document is None:
            is_cancelled = not self.status.is_final and self.status is not Status.IN_PROGRESS
            return Status.CANCELED if is_cancelled else self.status
        if document.verbs and document.verbs[0].name == "Reject":
            self.ended_by = "application"
            return Status.BUSY if document.verbs[0].get("reason") == "busy" else Status.FAILED
        if self.status is not Status.IN_PROGRESS:
            self.answer()
        self.start_script()
        limit = asyncio.create_task(self._limit())
        try:
            while document is not None:
                document = await self._obey(document)
        finally:
            limit.cancel()
        return Status.COMPLETED

    async def _answered_document(self) -> Document | None:
        """Inbound: ask first, then answer. Outbound: the person answers, then the application is asked."""
        if self.plan.direction == "inbound":
            self.progress.move_to(Status.RINGING)
        elif not await self.ring():
            return None
        else:
            self.answer()
        try:
            if self.plan.twiml and not self.plan.voice_url:
                return parse(self.plan.twiml, url=self.carrier.base_url)
            return await self._first_document()
        except (WebhookFailed, TwimlError) as exc:
            self.notice(exc.code, exc.message)
            return await application.sorry(self)

    async def _first_document(self) -> Document:
        token = new_idempotency_token()
        repeats = int(self.faults.number("repeat_webhook")) if "repeat_webhook" in self.faults else 0
        asked = [
            self._ask(self.plan.voice_url, method=self.plan.voice_method, token=token, extra={})
            for _ in range(1 + repeats)
        ]
        answers = await asyncio.gather(*asked)
        self.webhook_answers = [answer.text for answer in answers]
        return self._document(self.plan.voice_url, answers[0])

    async def _ask(self, url: str, *, method: str, extra: Mapping[str, str], token: str = "") -> Answer:
        began_s, at_ms = time.monotonic(), self.line.now_ms
        status = 0
        try:
            answer = await self.carrier.webhooks.request(
                url,
                self.params(**extra),
                method=method,
                token=token,
                is_signed_right=not self.faults.spoils_signature_of("webhook"),
            )
            status = answer.status
        finally:
            self.requests.append(Request(at_ms, url, status, round((time.monotonic() - began_s) * 1000)))
        return answer

    def _document(self, url: str, answer: Answer) -> Document:
        document = application.document_of(url, answer)
        for code, message in document.warnings:
            self.notice(code, message)
        self.log("twiml", url=url, verbs=[verb.name for verb in document.verbs])
        return document

    async def _obey(self, document: Document) -> Document | None:
        """Run a document to its end or to the next order; what to run then. None: the call is over."""
        running = asyncio.create_task(application.obey(self, document), name=f"twiml {self.sid}")
        try:
            await _first_of(running, self._order)
        finally:
            if not running.done():
                running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        if not running.cancelled() and (broken := running.exception()):
            raise broken
        if not self._order.done():
            self.ended_by = "application"
            return None
        instead = self._order.result()
        if instead is not None:
            self._order = asyncio.get_running_loop().create_future()
        return instead

    async def _unless_told_otherwise(self, work: Coroutine[Any, Any, T]) -> T | None:
        running = asyncio.create_task(work)
        try:
            await _first_of(running, self._order)
            return running.result() if running.done() else None
        finally:
            if not running.done():
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def _limit(self) -> None:
        await self.line.wait_ms(self.plan.limit_s * 1000)
        self.hang_up(by="limit")

    async def _do_steps(self) -> None:
        while True:
            await self.person.do(await self._steps.get())

    def _digit(self, key: str) -> None:
        if self.on_digit:
            self.on_digit(key)

    def _script_done(self, script: asyncio.Task[None]) -> None:
        if not script.cancelled() and script.exception():
            self.hang_up(by="broken script")


async def _first_of(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)

"""A leg: one person's phone line and the application at its other end. A `<Dial>` adds a second leg to a call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from voiceapp.simulators.twilio.account import Account, new_sid
from voiceapp.simulators.twilio.call_log import CallLog, WebhookRequest
from voiceapp.simulators.twilio.callbacks import Callbacks
from voiceapp.simulators.twilio.line import Line
from voiceapp.simulators.twilio.numbers import Answers, Number
from voiceapp.simulators.twilio.person import Person
from voiceapp.simulators.twilio.plan import CallPlan
from voiceapp.simulators.twilio.recording import stereo_wav
from voiceapp.simulators.twilio.status import Status, StatusTracker
from voiceapp.simulators.twilio.steps import Step, as_steps
from voiceapp.simulators.twilio.twiml import Document, TwimlError, Verb, parse
from voiceapp.simulators.twilio.webhooks import WebhookFailed, WebhookResponse

_TWIML_TYPES = ("text/xml", "application/xml", "text/html")


class RunningRecording(Protocol):
    """One that was started over REST; it ends with the call."""

    @property
    def sid(self) -> str: ...

    @property
    def status(self) -> str: ...

    @property
    def has_audio(self) -> bool: ...

    def change_to(self, status: str, *, is_skipping: bool = False) -> None: ...

    def stop(self) -> None: ...


class CallLeg:
    """`interruption` is done when the running document must stop: with the document to run next, or None to hang up."""

    def __init__(self, account: Account, plan: CallPlan, *, number: Number | None = None) -> None:
        self.account = account
        self.plan = plan
        self.number = number
        self.sid = new_sid("CA")
        self.faults = plan.faults
        self.ended_by = ""
        self.token = ""
        self.second_legs: list[CallLeg] = []
        self.recordings: list[RunningRecording] = []
        self.line = Line(account.ticker, noise=plan.noise, keeps_sound=plan.keeps_sound)
        self.log = CallLog(lambda: self.line.now_ms)
        self.person = Person(self.line, plan.profile, hang_up=lambda: self.hang_up(by="caller"), log=self.log)
        self.callbacks = Callbacks(account.webhooks, plan.faults)
        self.progress = StatusTracker(plan, self.callbacks, self.params)
        self.interruption: asyncio.Future[Document | None] = asyncio.get_running_loop().create_future()
        self._steps: asyncio.Queue[Step] = asyncio.Queue()
        for step in plan.steps:
            self._steps.put_nowait(step)
        self._script: asyncio.Task[None] | None = None

    @property
    def is_done(self) -> bool:
        return self.status.is_final

    @property
    def status(self) -> Status:
        return self.progress.status

    def allows(self, number: str, token: str) -> bool:
        """Whether the token, which came with this call's first webhook, lets its caller's number be shown."""
        is_ours = bool(self.token) and token == self.token and number == self.plan.from_number
        return is_ours and not self.status.is_final

    @property
    def answered_at(self) -> datetime | None:
        return self.progress.answered_at

    @property
    def duration_s(self) -> int:
        return self.progress.duration_s

    @property
    def recording(self) -> bytes:
        """Stereo WAV from the answer until now: on the left the caller, on the right what the caller heard."""
        return stereo_wav(bytes(self.line.said), bytes(self.line.heard))

    def add_steps(self, given: Iterable[object]) -> None:
        """Steps for the person after the current ones. Raises ValueError for an invalid step."""
        for step in as_steps(given):
            self._steps.put_nowait(step)

    def hang_up(self, *, by: str) -> None:
        if not self.interruption.done():
            self.ended_by = by
            self.interruption.set_result(None)

    @property
    def has_hung_up(self) -> bool:
        return self.interruption.done() and self.interruption.result() is None

    def redirect(self, document: Document) -> None:
        """Stop the running document and execute this one, as a REST update does."""
        if not self.interruption.done():
            self.interruption.set_result(document)

    # webhooks

    def params(self, **extra: str) -> dict[str, str]:
        """The form of every voice request of this call."""
        params = {
            "CallSid": self.sid,
            "AccountSid": self.account.sid,
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
        """Request a document from the application. Raises WebhookFailed or TwimlError."""
        return self.read_document(url, await self.request(url, method=method, extra=extra or {}))

    async def request(self, url: str, *, method: str, extra: Mapping[str, str], token: str = "") -> WebhookResponse:
        began_s, at_ms = time.monotonic(), self.line.now_ms
        status = 0
        try:
            response = await self.account.webhooks.request(
                url,
                self.params(**extra),
                method=method,
                token=token,
                has_valid_signature=not self.faults.breaks_signature_of("webhook"),
            )
            status = response.status
        finally:
            took_ms = round((time.monotonic() - began_s) * 1000)
            self.log.requests.append(WebhookRequest(at_ms, url, status, took_ms))
        return response

    def read_document(self, url: str, response: WebhookResponse) -> Document:
        """Read a response as Twilio does. Raises WebhookFailed or TwimlError."""
        document = _document(url, response)
        for code, message in document.warnings:
            self.log.notice(code, message)
        self.log.event("twiml", url=url, verbs=[verb.name for verb in document.verbs])
        return document

    # from ringing to the end

    async def ring(self) -> bool:
        """Ring the person's phone. Returns whether it was answered; if not, the status is final."""
        assert self.number
        self.progress.change_to(Status.INITIATED)
        self.progress.change_to(Status.RINGING)
        if self.number.answering is Answers.BUSY:
            self.progress.change_to(Status.BUSY)
            return False
        if "answers_late" in self.faults:
            await asyncio.sleep(self.plan.ring_s + self.faults.number("answers_late") / 1000)
            return True
        answers_in_time = self.number.answers_after_ms <= self.plan.ring_s * 1000
        if self.number.answering is Answers.NO_ANSWER or not answers_in_time:
            await asyncio.sleep(self.plan.ring_s)
            self.progress.change_to(Status.NO_ANSWER)
            return False
        await asyncio.sleep(self.number.answers_after_ms / 1000)
        return True

    def answer(self) -> None:
        self.line.open()
        self.progress.change_to(Status.IN_PROGRESS)
        self.log.event("answered")

    def start_script(self) -> None:
        self._script = asyncio.create_task(self._run_steps(), name=f"script {self.sid}")
        self._script.add_done_callback(self._script_done)

    async def wait_for_interruption(self, *, within_s: float | None = None) -> None:
        await asyncio.wait({self.interruption}, timeout=within_s)

    async def finish(self, status: Status) -> None:
        """Close the line and send the last callbacks. Raises what broke the script."""
        if not status.is_final:
            status = Status.COMPLETED
        self.line.voice.stop()
        if self._script and not self._script.done():
            self._script.cancel()
            await asyncio.gather(self._script, return_exceptions=True)
        self.log.event("ended", by=self.ended_by)
        for recording in self.recordings:
            recording.stop()
        self.line.close()
        self.progress.change_to(status)
        current = asyncio.current_task()
        if current and current.cancelling():
            self.callbacks.stop()
        else:
            await self.callbacks.finish()
        if self._script and not self._script.cancelled() and (error := self._script.exception()):
            raise error

    async def _run_steps(self) -> None:
        while True:
            await self.person.do(await self._steps.get())

    def _script_done(self, script: asyncio.Task[None]) -> None:
        if not script.cancelled() and script.exception():
            self.hang_up(by="broken script")


def _document(url: str, response: WebhookResponse) -> Document:
    if not 200 <= response.status < 300:
        raise WebhookFailed(11200, f"HTTP retrieval failure: {url} returned {response.status}")
    if response.content_type in _TWIML_TYPES:
        return parse(response.text, url=url)
    if response.content_type == "text/plain":
        return Document((Verb("Say", text=response.text),), url)
    if response.content_type.startswith("audio/"):
        return Document((Verb("Play", text=url),), url)
    raise TwimlError(12300, f"invalid content type {response.content_type!r} from {url}")

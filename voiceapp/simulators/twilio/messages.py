"""Messages (SMS): what the application sends arrives at a phone's inbox, with status callbacks; phones text back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree

from voiceapp.simulators.twilio.attributes import E164
from voiceapp.simulators.twilio.callbacks import Callback, Callbacks
from voiceapp.simulators.twilio.faults import TwilioFaults
from voiceapp.simulators.twilio.message import (
    AFTERWARDS,
    AT_ONCE,
    AUTOMATIC_ANSWERS,
    Message,
    Receives,
    keyword_of,
    segments_of,
)
from voiceapp.simulators.twilio.webhooks import WebhookClient, WebhookFailed

logger = logging.getLogger(__name__)

LONGEST_BODY = 1600
SENT_AFTER_S = 0.05
DELIVERED_AFTER_S = 0.1
SLOW_S = 3.0
_MAX_KEPT = 1000


class MessageRefused(Exception):
    """The REST API refuses the message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be created, as the form says."""

    to_number: str
    from_number: str
    body: str
    status_callback: str = ""
    messaging_service_sid: str = ""
    direction: str = "outbound-api"


class Messages:
    """All messages of an account, the oldest first, and who has opted out of which sender."""

    def __init__(
        self,
        webhooks: WebhookClient,
        *,
        account_sid: str,
        new_sid: Callable[[str], str],
        behavior_of: Callable[[str], Receives],
    ) -> None:
        self._webhooks = webhooks
        self._account_sid = account_sid
        self._new_sid = new_sid
        self._behavior_of = behavior_of
        self._all: dict[str, Message] = {}
        self._opted_out: set[tuple[str, str]] = set()
        self._arrived = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, sid: str) -> Message | None:
        return self._all.get(sid)

    def delete(self, sid: str) -> None:
        del self._all[sid]

    def listed(self, *, to_number: str = "", from_number: str = "") -> Iterator[Message]:
        """The newest first, as Twilio lists them."""
        for message in reversed(self._all.values()):
            if to_number in ("", message.to_number) and from_number in ("", message.from_number):
                yield message

    def inbox(self, number: str) -> list[Message]:
        """What has arrived at a phone."""
        arrived = [each for each in self._all.values() if each.to_number == number and each.arrived_at]
        return sorted(arrived, key=lambda each: str(each.arrived_at))

    async def wait_for(self, number: str, count: int, *, within_s: float) -> list[Message]:
        """The inbox, once so many have arrived or the time is over."""
        try:
            async with asyncio.timeout(within_s), self._arrived:
                await self._arrived.wait_for(lambda: len(self.inbox(number)) >= count)
        except TimeoutError:
            pass
        return self.inbox(number)

    # From the application to a phone

    def create(self, outgoing: Outgoing, *, faults: TwilioFaults, behavior: Receives | None = None) -> Message:
        """Raises MessageRefused."""
        behavior = behavior or self._behavior_of(outgoing.to_number)
        self._check(outgoing, behavior)
        service = outgoing.messaging_service_sid
        message = Message(
            sid=self._new_sid("SM"),
            direction=outgoing.direction,
            from_number=outgoing.from_number,
            to_number=outgoing.to_number,
            body=outgoing.body,
            status="accepted" if service else "queued",
            status_callback=outgoing.status_callback,
            messaging_service_sid=service,
        )
        self._keep(message)
        self._run(self._deliver(message, behavior, faults))
        return message

    def _check(self, outgoing: Outgoing, behavior: Receives) -> None:
        to_number, from_number = outgoing.to_number, outgoing.from_number
        if not to_number:
            raise MessageRefused(21604, "A 'To' phone number is required")
        if not E164.fullmatch(to_number):
            raise MessageRefused(21211, f"Invalid 'To' Phone Number: {to_number}")
        if not from_number and not outgoing.messaging_service_sid:
            raise MessageRefused(21603, "A 'From' phone number is required")
        if from_number and not E164.fullmatch(from_number):
            raise MessageRefused(21212, f"Invalid 'From' Phone Number: {from_number}")
        if not outgoing.body:
            raise MessageRefused(21602, "Message body is required")
        if len(outgoing.body) > LONGEST_BODY:
            raise MessageRefused(21617, f"The concatenated message body exceeds {LONGEST_BODY} characters")
        if from_number == to_number:
            raise MessageRefused(21266, "'To' and 'From' number cannot be the same")
        if (outgoing.messaging_service_sid or from_number, to_number) in self._opted_out:
            raise MessageRefused(*AT_ONCE[Receives.OPTED_OUT])
        if behavior in AT_ONCE:
            raise MessageRefused(*AT_ONCE[behavior])

    async def _deliver(self, message: Message, behavior: Receives, faults: TwilioFaults) -> None:
        callbacks = Callbacks(self._webhooks, faults)
        await asyncio.sleep(SENT_AFTER_S)
        self._change(message, "sent", callbacks)
        await asyncio.sleep(SLOW_S if behavior is Receives.SLOW else DELIVERED_AFTER_S)
        status, message.error_code = AFTERWARDS.get(behavior, ("delivered", None))
        if status == "delivered":
            await self._arrive(message)
        self._change(message, status, callbacks)
        await callbacks.finish()

    def _change(self, message: Message, status: str, callbacks: Callbacks) -> None:
        message.status = status
        params = {
            "MessageSid": message.sid, "SmsSid": message.sid, "MessageStatus": status, "SmsStatus": status,
            "From": message.from_number, "To": message.to_number, "AccountSid": self._account_sid,
            "ApiVersion": "2010-04-01",
        }  # fmt: skip
        if message.messaging_service_sid:
            params["MessagingServiceSid"] = message.messaging_service_sid
        if message.error_code:
            params["ErrorCode"] = str(message.error_code)
        callbacks.send(Callback(message.status_callback, params))

    async def _arrive(self, message: Message) -> None:
        message.arrived_at = datetime.now(UTC)
        async with self._arrived:
            self._arrived.notify_all()

    # From a phone to the application

    async def receive(self, *, from_number: str, to_number: str, body: str, url: str, sender: str = "") -> Message:
        """A phone texts one of the application's numbers. `sender`: the Messaging Service, if opt-outs are its."""
        message = Message(self._new_sid("SM"), "inbound", from_number, to_number, body, "received")
        self._keep(message)
        await self._arrive(message)
        keyword = keyword_of(body)
        pair = (sender or to_number, from_number)
        if keyword == "STOP":
            self._opted_out.add(pair)
        elif keyword == "START":
            self._opted_out.discard(pair)
        if keyword:
            await self._answer(message, AUTOMATIC_ANSWERS[keyword])
        if url:
            self._run(self._request(message, url))
        return message

    async def _request(self, message: Message, url: str) -> None:
        params = {
            "MessageSid": message.sid, "SmsSid": message.sid, "SmsMessageSid": message.sid, "SmsStatus": "received",
            "AccountSid": self._account_sid, "ApiVersion": "2010-04-01", "From": message.from_number,
            "To": message.to_number, "Body": message.body, "NumMedia": "0",
            "NumSegments": str(segments_of(message.body)),
            **{f"{side}{what}": "" for side in ("From", "To") for what in ("City", "State", "Zip", "Country")},
        }  # fmt: skip
        try:
            response = await self._webhooks.request(url, params)
            answers = [(each.text or "").strip() for each in ElementTree.fromstring(response.text).iter("Message")]  # noqa: S314
        except (WebhookFailed, ElementTree.ParseError) as exc:
            logger.warning("the webhook of a text failed: %s", exc)
            return
        for answer in answers:
            if (message.to_number, message.from_number) not in self._opted_out:
                await self._answer(message, answer)

    async def _answer(self, message: Message, body: str) -> None:
        answer = Message(
            self._new_sid("SM"), "outbound-reply", message.to_number, message.from_number, body, "delivered"
        )
        self._keep(answer)
        await self._arrive(answer)

    # All of them

    def _keep(self, message: Message) -> None:
        self._all[message.sid] = message
        for sid in list(self._all)[:-_MAX_KEPT]:
            del self._all[sid]

    def _run(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

"""An account: its credentials and numbers, recordings of messages, and the clock and HTTP client of all its calls."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Coroutine

from voiceapp.simulators.twilio.callbacks import Callbacks
from voiceapp.simulators.twilio.conferences import Conference
from voiceapp.simulators.twilio.faults import TwilioFaults
from voiceapp.simulators.twilio.messages import Messages
from voiceapp.simulators.twilio.numbers import Number
from voiceapp.simulators.twilio.recording import Recording, kept_recording
from voiceapp.simulators.twilio.ticker import Ticker
from voiceapp.simulators.twilio.twiml import Document, TwimlError
from voiceapp.simulators.twilio.webhooks import WebhookClient, WebhookFailed

#: Answers a number that is not configured.
DEFAULT_NUMBER = Number(says="Hello, how can I help you?")

logger = logging.getLogger(__name__)


def new_sid(kind: str) -> str:
    """`CA` a call, `CF` a conference, `MZ` a media stream, `RE` a recording, `SM` a text; then 32 hex digits."""
    return kind + secrets.token_hex(16)


class Account:
    def __init__(self, *, sid: str, auth_token: str, base_url: str) -> None:
        self.sid = sid
        self.auth_token = auth_token
        self.base_url = base_url
        self.ticker = Ticker()
        self.webhooks = WebhookClient(auth_token)
        self.numbers: dict[str, Number] = {}
        self.messages = Messages(
            self.webhooks, account_sid=sid, new_sid=new_sid, behavior_of=lambda number: self.number(number).texts
        )
        self.conferences: dict[str, Conference] = {}  # by name, the latest one of each
        self.recordings: dict[str, Recording] = {}
        self._background: set[asyncio.Task[None]] = set()

    def number(self, number: str) -> Number:
        return self.numbers.get(number, DEFAULT_NUMBER)

    def owns(self, number: str) -> bool:
        """Whether it is one of the account's numbers, which may be shown as the caller's."""
        return number in self.numbers and bool(self.numbers[number].voice_url)

    def conference(self, name: str) -> Conference:
        """The one of this name that goes on, or a new one."""
        found = self.conferences.get(name)
        if found is None or found.is_over:
            callbacks = Callbacks(self.webhooks, TwilioFaults())
            found = Conference(new_sid("CF"), name, account_sid=self.sid, callbacks=callbacks)
            self.conferences[name] = found
        return found

    def keep_recording(self, call_sid: str, ulaw: bytes, *, ready_in_s: float = 0.0) -> str:
        """Its audio can be fetched after that time."""
        sid = new_sid("RE")
        self.recordings[sid] = kept_recording(call_sid, ulaw, ready_in_s=ready_in_s)
        return sid

    def fetch_in_background(self, fetch: Coroutine[object, object, Document | None]) -> None:
        """Make a webhook request of a call that is over; the document in the response is not executed."""

        async def run() -> None:
            try:
                await fetch
            except (WebhookFailed, TwimlError) as exc:
                logger.warning("a webhook after the end of a call failed: %s", exc)

        task = asyncio.create_task(run())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def close(self) -> None:
        for task in tuple(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.messages.close()
        for conference in self.conferences.values():
            conference.callbacks.stop()
        self.ticker.stop()

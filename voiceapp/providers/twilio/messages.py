"""Twilio's Messages: send a text, and find one whose response was lost."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from voiceapp.providers.errors import ProviderError

from .client import CLOCKS_DIFFER_BY, FAULTS, REFUSALS, TwilioClient, deleted, provider_error

# Of a text, and of one with pictures.
MESSAGE_SID = re.compile(r"(SM|MM)[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class CarrierMessage:
    """A text as Twilio reports it. `segments` is 0 where a Messaging Service has not chosen the sender yet."""

    sid: str
    status: str
    body: str
    from_number: str
    segments: int
    error_code: int | None
    created_at: dt.datetime | None


class MessageRefused(ProviderError):
    """Twilio refuses the text for good, with its error code."""

    def __init__(self, message: str, *, code: int | None) -> None:
        super().__init__("twilio", message, permanent=True)
        self.code = code


class MessagesClient(TwilioClient):
    """The texts of one account."""

    def send_message(
        self, *, to: str, body: str, status_callback: str, from_number: str = "", messaging_service_sid: str = ""
    ) -> CarrierMessage:
        """Send a text by a Messaging Service, or else from a number. Raises MessageRefused, or another ProviderError.

        There is no idempotency key: after an error without a response the text may have been accepted (protocols A6).
        """
        sender = {"messaging_service_sid": messaging_service_sid} if messaging_service_sid else {"from_": from_number}
        try:
            created = self._client.messages.create(to=to, body=body, status_callback=status_callback, **sender)
        except FAULTS as fault:
            error = provider_error(fault)
            if error.permanent and isinstance(fault, REFUSALS):
                raise MessageRefused(str(error).removeprefix("twilio: "), code=_number(fault.code)) from fault
            raise error from fault
        return _carrier_message(created)

    def find_messages(self, *, to: str, since: dt.datetime) -> list[CarrierMessage]:
        """What was sent to the number since then, the oldest first."""
        try:
            # Twilio lists the newest first; its filters know days only, so the time is compared here.
            found = self._client.messages.list(to=to, limit=50)
        except FAULTS as fault:
            raise provider_error(fault) from fault
        messages = [_carrier_message(each) for each in found if str(each.direction).startswith("outbound")]
        recent = [each for each in messages if each.created_at and each.created_at >= since - CLOCKS_DIFFER_BY]
        return sorted(recent, key=lambda each: (each.created_at, each.sid))

    def delete_message(self, sid: str) -> bool:
        """Twilio's record of a text, with its body. False if Twilio no longer had it."""
        if not MESSAGE_SID.fullmatch(sid):
            raise ProviderError("twilio", "not a MessageSid", permanent=True)
        return deleted(self._client.messages(sid).delete)


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None


def _carrier_message(found: Any) -> CarrierMessage:
    return CarrierMessage(
        sid=str(found.sid),
        status=str(found.status),
        body=str(found.body or ""),
        from_number=str(found.from_ or ""),
        segments=_number(found.num_segments) or 0,
        error_code=_number(found.error_code),
        created_at=found.date_created,
    )

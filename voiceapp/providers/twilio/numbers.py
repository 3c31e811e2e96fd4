"""Twilio's phone numbers: where each points, and pointing one elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import cast

from .client import FAULTS, TwilioClient, provider_error

MOST_NUMBERS = 10_000
PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class CarrierNumber:
    """A number as Twilio has it. With an application or a trunk Twilio ignores the voice or SMS URLs."""

    sid: str
    phone_number: str
    voice_url: str = ""
    voice_method: str = ""
    voice_fallback_url: str = ""
    voice_application_sid: str = ""
    trunk_sid: str = ""
    status_callback: str = ""
    status_callback_method: str = ""
    sms_url: str = ""
    sms_method: str = ""
    sms_fallback_url: str = ""
    sms_application_sid: str = ""


class TwilioNumbers(TwilioClient):
    """The numbers of one account. Every method raises ProviderError if Twilio does not carry out the request."""

    def all(self) -> list[CarrierNumber]:
        try:
            found = self._client.incoming_phone_numbers.list(limit=MOST_NUMBERS, page_size=PAGE_SIZE)
            return [read_number(each) for each in found]
        except FAULTS as fault:
            raise provider_error(fault) from fault

    def buy(self, number: str, settings: Mapping[str, str]) -> CarrierNumber:
        """For the simulator: the real Twilio charges for it."""
        try:
            return read_number(self._client.incoming_phone_numbers.create(phone_number=number, **settings))
        except FAULTS as fault:
            raise provider_error(fault) from fault

    def update(self, sid: str, changes: Mapping[str, str]) -> CarrierNumber:
        """Set these fields, named as in CarrierNumber; others stay as they are."""
        try:
            return read_number(self._client.incoming_phone_numbers(sid).update(**changes))
        except FAULTS as fault:
            raise provider_error(fault) from fault


def read_number(resource: object) -> CarrierNumber:
    given = {field.name: cast("str | None", getattr(resource, field.name, "")) for field in fields(CarrierNumber)}
    return CarrierNumber(**{name: str(value or "") for name, value in given.items()})

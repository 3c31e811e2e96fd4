"""Where Twilio's numbers should point, compared with where they do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from django.conf import settings

from agents.transfers.models import TransferTarget
from telephony.twilio.models import CarrierState, PhoneNumber
from telephony.twilio.twiml import public_url
from voiceapp.providers.twilio.numbers import CarrierNumber

LABELS = {
    "voice_url": "voice URL",
    "voice_method": "voice method",
    "voice_fallback_url": "voice fallback URL",
    "voice_application_sid": "voice application",
    "trunk_sid": "SIP trunk",
    "status_callback": "status callback",
    "status_callback_method": "status callback method",
    "sms_url": "SMS URL",
    "sms_method": "SMS method",
    "sms_fallback_url": "SMS fallback URL",
    "sms_application_sid": "SMS application",
}
# In TWILIO_FALLBACK_URL, for the number of the organization's fallback target.
PLACE = "{number}"


@dataclass(frozen=True, slots=True)
class Change:
    """A field of a number at Twilio: as it is, and as it should be."""

    field: str
    now: str
    wanted: str

    def __str__(self) -> str:
        """“voice URL: https://old.example.com/voice, not https://voice.example.com/twiml/start”"""
        now, wanted = without_query(self.now), without_query(self.wanted)
        if now == wanted:
            now, wanted = self.now, self.wanted
        return f"{LABELS[self.field]}: {now or 'none'}, not {wanted or 'none'}"


@dataclass(frozen=True, slots=True)
class ComparedNumber:
    """One of our numbers beside Twilio's, if Twilio has it."""

    number: PhoneNumber
    carrier: CarrierNumber | None
    changes: tuple[Change, ...] = ()

    @property
    def state(self) -> CarrierState:
        if self.carrier is None:
            return CarrierState.MISSING
        return CarrierState.DIFFERS if self.changes else CarrierState.IN_STEP

    @property
    def difference(self) -> str:
        """For people."""
        return "; ".join(map(str, self.changes))


@dataclass(frozen=True, slots=True)
class Comparison:
    """`unknown`: Twilio's numbers that are not set up here."""

    numbers: Sequence[ComparedNumber] = ()
    unknown: Sequence[str] = field(default_factory=tuple)

    def of(self, state: CarrierState) -> list[ComparedNumber]:
        return [each for each in self.numbers if each.state == state]


def webhook_url(number: PhoneNumber) -> str:
    return public_url(f"/twiml/start?orgId={number.organization_id}")


def fallback_url(number: PhoneNumber) -> str:
    """Where Twilio finds TwiML when this server does not answer; empty where what is set at Twilio stays."""
    url: str = settings.TWILIO_FALLBACK_URL
    if PLACE not in url:
        return url
    targets = TransferTarget.objects.filter(organization=number.organization_id, is_fallback=True)
    person = targets.values_list("number", flat=True).first()
    return url.replace(PLACE, quote(person, safe="")) if person else ""


def wanted_settings(number: PhoneNumber) -> dict[str, str]:
    """An application or a trunk would have Twilio ignore the URLs."""
    fallback = fallback_url(number)
    return {
        **({"voice_fallback_url": fallback} if fallback else {}),
        "voice_url": webhook_url(number),
        "voice_method": "POST",
        "voice_application_sid": "",
        "trunk_sid": "",
        "status_callback": public_url("/twilio/call-status"),
        "status_callback_method": "POST",
        "sms_url": public_url("/twilio/message"),
        "sms_method": "POST",
        "sms_fallback_url": "",
        "sms_application_sid": "",
    }


def compare(ours: Iterable[PhoneNumber], theirs: Iterable[CarrierNumber]) -> Comparison:
    at_carrier = {each.phone_number: each for each in theirs}
    compared = [_compared(number, at_carrier.get(number.number)) for number in ours]
    known = {each.number.number for each in compared}
    return Comparison(compared, tuple(sorted(number for number in at_carrier if number not in known)))


def _compared(number: PhoneNumber, carrier: CarrierNumber | None) -> ComparedNumber:
    if carrier is None:
        return ComparedNumber(number, None)
    now = {name: getattr(carrier, name) for name in LABELS}
    wanted = wanted_settings(number).items()
    changes = (Change(name, now[name], value) for name, value in wanted if not _is_same(now[name], value))
    return ComparedNumber(number, carrier, tuple(changes))


def _is_same(now: str, wanted: str) -> bool:
    """How Twilio repeats a request that failed stands behind a # (protocols A8) and is the operator's choice."""
    return now == wanted or (bool(wanted) and now.partition("#")[0] == wanted)


def without_query(url: str) -> str:
    """What distinguishes one server from another, without ids or keys that other services put into a query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else url

"""Check where Twilio's numbers point, keep the result for the admin, and point ours at us."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from telephony.twilio.models import CarrierState, NumberCheck, PhoneNumber
from voiceapp.core.jobs.wake_up import WakeUp
from voiceapp.core.transactions import release_connections
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.twilio.numbers import CarrierNumber, TwilioNumbers

from .comparison import ComparedNumber, Comparison, compare

logger = structlog.get_logger("numbers")

# When a web process starts, and after a number was changed here.
check_soon = WakeUp("telephony.tasks.check_phone_numbers")

MOST_UNKNOWN = 200


def check_numbers() -> Comparison:
    """Compare all of our numbers with Twilio's, and keep the result. Raises ProviderError, which is kept too."""
    began_at = timezone.now()
    release_connections()
    try:
        theirs = TwilioNumbers.from_settings().all()
    except ProviderError as error:
        NumberCheck.objects.update_or_create(
            id=1, defaults={"checked_at": timezone.now(), "error": str(error)[:300]}, create_defaults=_failed(error)
        )
        raise
    found = compare(PhoneNumber.objects.select_related("organization").order_by("number"), theirs)
    keep_comparison(found, began_at=began_at)
    return found


def _failed(error: ProviderError) -> dict[str, object]:
    return {"id": 1, "checked_at": timezone.now(), "error": str(error)[:300], "unknown_numbers": []}


@transaction.atomic
def keep_comparison(found: Comparison, *, began_at: dt.datetime) -> None:
    """Two may overlap, as after a number was bought: what was found since `began_at` is newer, and stays."""
    if NumberCheck.objects.filter(id=1, checked_at__gt=began_at).exists():
        return
    newer = set(PhoneNumber.objects.filter(carrier_checked_at__gt=began_at).values_list("pk", flat=True))
    _keep([each for each in found.numbers if each.number.pk not in newer])
    NumberCheck.objects.update_or_create(
        id=1,
        defaults={"checked_at": timezone.now(), "error": "", "unknown_numbers": list(found.unknown[:MOST_UNKNOWN])},
    )


def _keep(compared: Sequence[ComparedNumber]) -> None:
    """These columns alone, of many numbers at once: a number may be edited meanwhile."""
    now = timezone.now()
    for each in compared:
        each.number.carrier_state = each.state
        each.number.carrier_difference = each.difference[:1000]
        each.number.carrier_checked_at = now
    columns = ("carrier_state", "carrier_difference", "carrier_checked_at")
    PhoneNumber.objects.bulk_update([each.number for each in compared], columns, batch_size=200)


@dataclass(frozen=True, slots=True)
class Pointed:
    """What became of one number: `error` is empty if it points here now."""

    compared: ComparedNumber
    error: str = ""


def point_here(found: Comparison) -> list[Pointed]:
    """Point those of our numbers here that Twilio has and that differ. Others are never touched.

    One that Twilio refuses keeps no other waiting.
    """
    return [_point(each) for each in found.of(CarrierState.DIFFERS)]


def _point(compared: ComparedNumber) -> Pointed:
    if compared.carrier is None:
        return Pointed(compared, "Twilio does not have this number.")
    release_connections()
    try:
        now = _update(compared, compared.carrier)
    except ProviderError as error:
        logger.warning("number not pointed here", number_id=compared.number.pk, error=str(error))
        return Pointed(compared, str(error))
    (after,) = compare([compared.number], [now]).numbers
    _keep([after])
    return Pointed(after, f"Twilio did not take over: {after.difference}" if after.changes else "")


def _update(compared: ComparedNumber, carrier: CarrierNumber) -> CarrierNumber:
    changes = {change.field: change.wanted for change in compared.changes}
    return TwilioNumbers.from_settings().update(carrier.sid, changes)


def forget_check(number: PhoneNumber) -> None:
    """The number itself, or its organization, was changed: what was found before says nothing any more."""
    PhoneNumber.objects.filter(pk=number.pk).update(
        carrier_state=CarrierState.UNCHECKED, carrier_difference="", carrier_checked_at=None
    )
    if settings.TWILIO_AUTH_TOKEN:
        transaction.on_commit(check_soon, robust=True)


def point_number_here(number: PhoneNumber) -> Pointed:
    """One number, by the button on its page. Raises ProviderError if Twilio's numbers cannot be read."""
    found = compare([number], TwilioNumbers.from_settings().all())
    (compared,) = found.numbers
    _keep([compared])
    return _point(compared) if compared.changes or compared.carrier is None else Pointed(compared)

"""Whether a text may be sent: to this number, of this organization, now."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from agents.organizations.models import Organization
from sessions.calls.models import Call, Direction
from sessions.messages.texts.models import Text, TextSettings, TextState
from sessions.messages.texts.reasons import TextReason
from voiceapp.core.phones.numbers import CallerKind, country_codes, is_dialable, is_landline, read_caller

from .opt_outs import is_opted_out

OF_THE_NUMBER = (TextReason.LANDLINE, TextReason.INVALID_NUMBER)
# A trial account is refused for each number of its own.
OF_THE_SENDER = (TextReason.UNREGISTERED, TextReason.BAD_SENDER, TextReason.NO_PERMISSION)
# Calls with forged numbers make us text those numbers: more than these failures of an hour, and more failures than
# deliveries, and no text is sent until they are older.
FAILURES_COUNT_FOR = dt.timedelta(hours=1)
MOST_FAILURES = 10
# They say nothing of the numbers that were texted.
NO_FAULT_OF_NUMBERS = (*OF_THE_SENDER, TextReason.OPTED_OUT, TextReason.TRIAL, TextReason.NOT_CONFIGURED,
                       TextReason.NO_RESPONSE)  # fmt: skip


def sender_of(organization: Organization, call: Call | None) -> str:
    """The number that the caller dialed, else the organization's first active one; empty where there is none."""
    numbers = list(organization.phone_numbers.filter(is_active=True).values_list("number", flat=True))
    if call is not None and call.dialed_number in numbers:
        return call.dialed_number
    return numbers[0] if numbers else ""


def number_of(call: Call) -> str:
    """The only number to which a text of the call may go: the caller's own, as the phone network gives it.

    Empty if it is withheld or none. Anybody may write any number into a SIP address.
    """
    caller = read_caller(call.caller_number)
    return caller.number if caller.kind in (CallerKind.NUMBER, CallerKind.WHATSAPP) else ""


def why_not(organization: Organization, wishes: TextSettings, number: str, *, sender: str) -> TextReason | None:
    """Why no text can go to the number, as far as it is known beforehand."""
    if not wishes.is_on:
        return TextReason.OFF
    if not settings.TWILIO_ACCOUNT_SID or not settings.TWILIO_AUTH_TOKEN:
        return TextReason.NOT_CONFIGURED
    if not number:
        return TextReason.NO_NUMBER
    if not sender and not wishes.messaging_service_sid:
        return TextReason.NO_SENDER
    if not is_dialable(number) or number == sender:
        return TextReason.INVALID_NUMBER
    if is_landline(number):
        return TextReason.LANDLINE
    if not _is_served(organization, wishes, number):
        return TextReason.OTHER_COUNTRY
    return TextReason.OPTED_OUT if is_opted_out(organization, number) else None


def _is_served(organization: Organization, wishes: TextSettings, number: str) -> bool:
    """Texts to far countries are expensive, and calls with forged numbers would make us send them."""
    entered = {each.strip() for each in wishes.countries.split(",") if each.strip()}
    return bool(
        country_codes(number) & (entered or {organization.region} - {""} or _countries_of_numbers(organization))
    )


def _countries_of_numbers(organization: Organization) -> set[str]:
    numbers = organization.phone_numbers.values_list("number", flat=True)
    return {code for number in numbers for code in country_codes(number)}


def may_reply(organization: Organization, wishes: TextSettings, number: str) -> bool:
    """Whether HELP of that number gets a reply: each costs money, and anybody may send it, again and again."""
    received = Text.objects.filter(
        organization=organization,
        number=number,
        direction=Direction.INBOUND,
        created_at__gt=timezone.now() - dt.timedelta(days=1),
    )
    most = min(wishes.most_per_number, settings.MAX_TEXTS_PER_NUMBER)
    return is_dialable(number) and _is_served(organization, wishes, number) and received.count() <= most


def known_failure(
    organization: Organization, number: str, *, sender: str, due_at: dt.datetime | None = None
) -> TextReason | None:
    """What earlier texts have shown: the number is a landline, the sender is refused in that country, or most fail.

    The last two hold for an hour: a sender may be registered meanwhile, and a later text is checked when it is due.
    """
    failed = Text.objects.filter(organization=organization, direction=Direction.OUTBOUND, state=TextState.FAILED)
    of_number = failed.filter(number=number, reason__in=OF_THE_NUMBER).order_by("-ended_at").first()
    if of_number is not None:
        return TextReason(of_number.reason)
    now = timezone.now()
    if due_at is not None and due_at > now + FAILURES_COUNT_FOR:
        return None
    return _failure_of_sender(organization, number, sender=sender, now=now) or (
        TextReason.TOO_MANY_FAIL if are_too_many_failing(organization, now=now) else None
    )


def _failure_of_sender(organization: Organization, number: str, *, sender: str, now: dt.datetime) -> TextReason | None:
    ended = _ended_lately(organization, now)
    tried = ended.filter(our_number=sender, state__in=(TextState.FAILED, TextState.DELIVERED))
    for text in tried.order_by("-ended_at")[:20]:
        if country_codes(text.number) == country_codes(number):
            return TextReason(text.reason) if text.reason in OF_THE_SENDER else None
    return None


def are_too_many_failing(organization: Organization, *, now: dt.datetime) -> bool:
    """Whether texts are paused: a circuit breaker against abuse, which closes by itself."""
    failed = Q(state=TextState.FAILED) & ~Q(reason__in=NO_FAULT_OF_NUMBERS)
    counts = _ended_lately(organization, now).aggregate(
        failed=Count("pk", filter=failed), delivered=Count("pk", filter=Q(state=TextState.DELIVERED))
    )
    return bool(counts["failed"] > MOST_FAILURES and counts["failed"] > counts["delivered"])


def _ended_lately(organization: Organization, now: dt.datetime) -> QuerySet[Text]:
    """What went out and was over within the last hour; it was due on the last day (the index is by that)."""
    return Text.objects.filter(
        organization=organization,
        direction=Direction.OUTBOUND,
        due_at__gt=now - dt.timedelta(days=1),
        ended_at__gt=now - FAILURES_COUNT_FOR,
    )


def cap_reached(organization: Organization, wishes: TextSettings, number: str, *, at: dt.datetime) -> TextReason | None:
    """Which maximum of the local day of `at` leaves no room. Texts of an organization are counted in turn.

    The server's own maximum holds whatever the organization enters.
    """
    local = at.astimezone(organization.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = (midnight + dt.timedelta(days=1, hours=2)).replace(hour=0)
    sent = Text.objects.filter(
        organization=organization, direction=Direction.OUTBOUND, due_at__gte=midnight, due_at__lt=tomorrow
    ).exclude(state=TextState.NOT_SENT)
    if sent.filter(number=number).count() >= min(wishes.most_per_number, settings.MAX_TEXTS_PER_NUMBER):
        return TextReason.NUMBER_CAP
    return TextReason.DAY_CAP if sent.count() >= min(wishes.most_per_day, settings.MAX_TEXTS_PER_DAY) else None

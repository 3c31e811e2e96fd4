"""Whether a person may be called now: by the number, and by the maximum of calls to persons in a day."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils import timezone

from agents.organizations.models import Organization
from agents.transfers.numbers import why_not_called
from sessions.calls.models import Call
from voiceapp.core.phones.numbers import read_caller

from .models import TransferAttempt

ONE_DAY = dt.timedelta(days=1)
TOO_MANY_TODAY = "too_many_today"


def why_not(attempt: TransferAttempt, call: Call) -> str:
    """Why this person is not called after all, whatever was planned; empty if the call may be placed."""
    organization = call.organization
    if organization is None:
        return "no_organization"
    if why := why_not_called(attempt.number, organization, caller=read_caller(call.caller_number).number):
        return why.value
    return TOO_MANY_TODAY if are_too_many(organization, besides=attempt) else ""


def are_too_many(organization: Organization, *, besides: TransferAttempt | None = None) -> bool:
    """Whether the organization's calls to persons in 24 hours, warm and cold, have reached the maximum."""
    since = timezone.now() - ONE_DAY
    placed = TransferAttempt.objects.filter(transfer__call__organization=organization, dialed_at__gt=since)
    if besides is not None:
        placed = placed.exclude(pk=besides.pk)
    return bool(placed.count() >= settings.MAX_TRANSFER_CALLS_PER_DAY)

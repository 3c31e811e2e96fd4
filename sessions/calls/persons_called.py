"""The maximum of calls to persons in 24 hours: those of the carrier, those at VAPI, and those into rooms."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from agents.organizations.models import Organization

from .models import Call, CallEvent, CallKind

TOO_MANY_TODAY = "too_many_today"
CALLED_BY_VAPI = "transfer_at_vapi"
ONE_DAY = dt.timedelta(days=1)


def are_too_many(organization: Organization, *, besides: int = 0) -> bool:
    """Whether the organization's calls to persons have reached the maximum. `besides`: how many of them do not count.

    The carrier's are rows of their own, one for each phone that rings; the others are lines of a call's timeline.
    """
    since = timezone.now() - ONE_DAY
    # No call lasts longer than a day: an index finds those that can have been transferred since.
    calls = Call.objects.filter(organization=organization, created_at__gt=since - ONE_DAY)
    by_carrier = calls.filter(transfers__attempts__dialed_at__gt=since).count()
    is_placed = Q(kind=CALLED_BY_VAPI) | Q(kind="transfer_attempt", call__kind=CallKind.ROOM)
    others = CallEvent.objects.filter(is_placed, call__in=calls, at__gt=since).count()
    return bool(by_carrier + others - besides >= settings.MAX_TRANSFER_CALLS_PER_DAY)

"""What people set on the board itself: the preparation time, and that the kitchen is busy for a while."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext

from agents.organizations.models import Organization
from voiceapp.core.errors import ApplicationError

from .announcing import announce_orders
from .models import LONGEST_PREP_MINUTES, BoardSettings

LONGEST_BUSY_MINUTES = 12 * 60


def set_prep_minutes(organization: Organization, minutes: int | None) -> None:
    """None: no time is promised any more. Raises ApplicationError."""
    if minutes is not None and not 0 < minutes <= LONGEST_PREP_MINUTES:
        raise ApplicationError(
            gettext("Enter between 1 and %(longest_prep_minutes)s minutes, or nothing.")
            % {"longest_prep_minutes": LONGEST_PREP_MINUTES}
        )
    _change(organization, prep_minutes=minutes)


def set_busy(organization: Organization, *, for_minutes: int, now: dt.datetime) -> None:
    """Orders take longer for so many minutes; 0 ends that. Raises ApplicationError."""
    if not 0 <= for_minutes <= LONGEST_BUSY_MINUTES:
        raise ApplicationError(
            gettext("Choose a time of at most %(longest_busy_minutes)s hours.")
            % {"longest_busy_minutes": LONGEST_BUSY_MINUTES // 60}
        )
    _change(organization, busy_until=now + dt.timedelta(minutes=for_minutes) if for_minutes else None)


def _change(organization: Organization, **values: object) -> None:
    with transaction.atomic():
        BoardSettings.objects.update_or_create(organization=organization, defaults=values)
        announce_orders(organization.pk)

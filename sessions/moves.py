"""What people do with an order or an appointment: kept with who did it, and undone for ten minutes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents.organizations.tenancy import TenantModel
from voiceapp.core.errors import ApplicationError

LONGEST_REASON = 200
UNDO_WITHIN = dt.timedelta(minutes=10)
# Texts to customers wait so long: a wrong tap is undone without the customer learning of it.
HELD_FOR = dt.timedelta(seconds=30)


class Move(TenantModel):
    """Who moved it, and when. One that undoes another names the states the other way round."""

    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=150, blank=True, help_text=_("Empty where nobody was signed in."))
    reason = models.CharField(max_length=LONGEST_REASON, blank=True)
    is_undo = models.BooleanField(default=False)

    class Meta:
        abstract = True
        ordering = ("id",)


M = TypeVar("M", bound=Move)


def move_to_undo(
    last: M | None, *, event_id: int, stands: Callable[[M], bool], overtaken: Callable[[], str], now: dt.datetime
) -> M:
    """Only the last move is undone, not long after, and not an undo itself. Raises ApplicationError.

    `stands`: whether everything is still as that move left it; `overtaken`: the sentence about what it is now.
    """
    if last is None or last.pk != event_id or last.is_undo or not stands(last):
        raise ApplicationError(overtaken())
    if now - last.at > UNDO_WITHIN:
        minutes = UNDO_WITHIN.total_seconds() // 60
        message = _("This was more than %(minutes)d minutes ago and can no longer be undone.")
        raise ApplicationError(message % {"minutes": minutes})
    return last

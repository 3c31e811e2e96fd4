"""What is sold at this moment: take out, bring back, count."""

from __future__ import annotations

import datetime as dt

from django.db.models import Case, F, PositiveIntegerField, Value, When

from agents.models import Item, Modifier, Size
from voiceapp.lib.errors import ApplicationError

Sellable = Item | Size | Modifier


def take_out(sellable: Sellable, *, until: dt.datetime | None = None) -> None:
    """Not sold from now on: until that moment, or until somebody brings it back. Calls under way notice."""
    type(sellable)._default_manager.filter(pk=sellable.pk).update(is_out=until is None, out_until=until)
    sellable.refresh_from_db(fields=["is_out", "out_until"])


def bring_back(sellable: Sellable) -> None:
    """Sold again. A count that had reached zero is no longer counted."""
    type(sellable)._default_manager.filter(pk=sellable.pk).update(
        is_out=False,
        out_until=None,
        count_left=Case(
            When(count_left=0, then=Value(None)), default=F("count_left"), output_field=PositiveIntegerField(null=True)
        ),
    )
    sellable.refresh_from_db(fields=["is_out", "out_until", "count_left"])


def count_left(sellable: Sellable, *, left: int | None) -> None:
    """Say how many are left; every order lowers it. None: not counted any more."""
    if left is not None and left < 0:
        raise ApplicationError("The number left cannot be negative.")
    type(sellable)._default_manager.filter(pk=sellable.pk).update(count_left=left)
    sellable.refresh_from_db(fields=["count_left"])

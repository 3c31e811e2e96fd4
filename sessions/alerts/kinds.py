"""The six rules: what each one has to set, and with which values an organization begins (docs/reference/alerts.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise


class AlertKind(models.TextChoices):
    NO_CALLS = "no_calls", _("No calls in opening hours")
    FAILED_CALLS = "failed_calls", _("Many calls fail")
    SLOW_RESPONSES = "slow_responses", _("Slow responses")
    DELIVERY = "delivery", _("Deliveries fail")
    NUMBER = "number", _("Number does not point here")
    SPEND = "spend", _("Costs above the budget")


# The subject of an alert about deliveries that is about texts, not about a webhook endpoint.
TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class Setting:
    """One number of a rule, and its limits."""

    label: StrOrPromise
    default: Decimal
    least: Decimal
    most: Decimal
    help_text: StrOrPromise = ""
    # How many digits stand behind the point.
    digits: int = 0


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """What a rule has to set. `unit`: the time that one of its window is."""

    threshold: Setting | None = None
    window: Setting | None = None
    unit: dt.timedelta = dt.timedelta(minutes=1)


def _setting(label: StrOrPromise, default: str, least: str, most: str, help_text: StrOrPromise = "") -> Setting:
    digits = -int(Decimal(least).as_tuple().exponent)
    return Setting(label, Decimal(default), Decimal(least), Decimal(most), help_text, digits)


K = AlertKind
SPECS: Mapping[AlertKind, RuleSpec] = {
    K.NO_CALLS: RuleSpec(
        threshold=_setting(
            _("usual calls"), "2", "1", "1000",
            _("In three of the last four weeks at least so many calls came at the same time of the same weekday."),
        ),
        window=_setting(_("open hours without a call"), "3", "1", "24"),
        unit=dt.timedelta(hours=1),
    ),
    K.FAILED_CALLS: RuleSpec(
        threshold=_setting(
            _("failed calls (%)"), "20", "1", "100", _("Of the calls that ended. Fewer than three never count.")
        ),
        window=_setting(_("period (minutes)"), "60", "15", "1440"),
    ),
    K.SLOW_RESPONSES: RuleSpec(
        threshold=_setting(
            _("response time (s)"), "3.0", "0.5", "60.0",
            _("95 % of the responses are faster (p95). Fewer than 20 responses never count."),
        ),
        window=_setting(_("period (minutes)"), "60", "15", "1440"),
    ),
    K.DELIVERY: RuleSpec(
        threshold=_setting(
            _("texts not delivered"), "3", "1", "1000",
            _("Within the period. Of a webhook endpoint: it has accepted nothing for that long, or was paused."),
        ),
        window=_setting(_("period (minutes)"), "30", "5", "1440"),
    ),
    K.NUMBER: RuleSpec(),
    K.SPEND: RuleSpec(
        threshold=_setting(_("budget (USD)"), "50.00", "0.01", "1000000.00", _("Calls whose cost is unknown count 0.")),
        window=_setting(_("period (days)"), "1", "1", "31", _("Today is the last of them.")),
        unit=dt.timedelta(days=1),
    ),
}  # fmt: skip

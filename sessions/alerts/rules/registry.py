"""Which function finds out what a rule says. Those of folders above register themselves (telephony/apps.py)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sessions.alerts.finding import Finding
from sessions.alerts.kinds import AlertKind
from sessions.alerts.models import AlertRule

from . import delivery, failed_calls, no_calls, slow_responses, spend

# A subject that it does not name is fine.
Find = Callable[[AlertRule, dt.datetime], list[Finding]]

FINDERS: dict[AlertKind, Find] = {
    AlertKind.NO_CALLS: no_calls.find,
    AlertKind.FAILED_CALLS: failed_calls.find,
    AlertKind.SLOW_RESPONSES: slow_responses.find,
    AlertKind.DELIVERY: delivery.find,
    AlertKind.SPEND: spend.find,
}

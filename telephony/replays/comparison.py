"""A replay beside the call that was recorded: orders, turns and latency."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from sessions.appointments.models import AppointmentState
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.orders.line_texts import text_of_line
from sessions.orders.models import VOID_STATES
from sessions.tools.dry_run import Booked, Made
from telephony.scenarios.expectations import written

from .replay import Replayed

NOTHING = "–"
SIGNS = ("+", "−")


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one of the two. Times in ms; None where nothing was measured. `end_reason`: an EndReason's value."""

    order: tuple[str, ...]
    total: str
    appointments: tuple[str, ...]
    turns: int
    median_response_ms: int | None
    slowest_response_ms: int | None
    interruptions: int
    duration_s: int | None
    end_reason: str

    def as_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> Figures:
        lists = {name: tuple(stored[name]) for name in ("order", "appointments")}
        return cls(**{**stored, **lists})


class Line(NamedTuple):
    """`change`: what differs, like “+120 ms”; empty where both are the same."""

    label: str
    before: str
    now: str
    change: str = ""

    @property
    def is_counted(self) -> bool:
        """Whether the change is a number, which is no fault."""
        return self.change[:1] in SIGNS if self.change else False


def figures_of_call(call: Call) -> Figures:
    """Of the call as it was."""
    order = call.orders.exclude(state__in=VOID_STATES).order_by("-created_at").first()
    zone = call.organization.zone if call.organization else None
    booked = call.appointments.exclude(state=AppointmentState.CANCELED)
    appointments = tuple(
        Booked(each.service_name, each.starts_at.astimezone(zone), each.customer_name) for each in booked
    )
    lines = tuple(text_of_line(line) for line in order.lines.prefetch_related("modifiers")) if order else ()
    made = Made(lines, order.total if order else None, order.currency if order else "", appointments)
    times = [each for each in call.turns.values_list("response_ms", flat=True) if each is not None]
    return _figures(made, times, call.interruptions, call.duration_s, call.end_reason)


def figures_of_replay(replayed: Replayed) -> Figures:
    return _figures(
        replayed.made, replayed.response_ms, replayed.interruptions, replayed.duration_s, replayed.end_reason
    )


def same_result(one: Figures, other: Figures) -> bool:
    """The same order and appointments; the date of an appointment may be another one."""
    without_dates = [sorted(each.rpartition(" (")[0] for each in side.appointments) for side in (one, other)]
    return (sorted(one.order), one.total) == (sorted(other.order), other.total) and without_dates[0] == without_dates[1]


def table(replayed: Figures, original: Figures | None) -> list[Line]:
    """Lines of an order one below the other."""
    before = original or Figures((), "", (), 0, None, None, 0, None, "")
    return [
        *_listed(_("Order"), before.order, replayed.order),
        _line(_("Total"), before.total, replayed.total),
        *_listed(_("Appointment"), before.appointments, replayed.appointments),
        _counted(_("Turns"), before.turns, replayed.turns),
        _counted(_("Response time, median"), before.median_response_ms, replayed.median_response_ms, " ms"),
        _counted(_("Response time, slowest"), before.slowest_response_ms, replayed.slowest_response_ms, " ms"),
        _counted(_("Interruptions"), before.interruptions, replayed.interruptions),
        _counted(_("Duration"), before.duration_s, replayed.duration_s, " s"),
        _line(_("End"), _reason(before.end_reason), _reason(replayed.end_reason)),
    ]


def _reason(value: str) -> str:
    return str(EndReason(value).label) if value else ""


def _figures(made: Made, times: Sequence[int], interruptions: int, duration_s: int | None, reason: str) -> Figures:
    return Figures(
        order=made.order,
        total=f"{made.total:.2f} {made.currency}" if made.total is not None else "",
        appointments=tuple(written(each) for each in made.appointments),
        turns=len(times),
        median_response_ms=round(statistics.median(times)) if times else None,
        slowest_response_ms=max(times, default=None),
        interruptions=interruptions,
        duration_s=duration_s,
        end_reason=reason,
    )


def _listed(label: str, before: Sequence[str], after: Sequence[str]) -> list[Line]:
    """Equal lines beside each other, as far as both have them."""
    only_before = [each for each in before if each not in after]
    only_after = [each for each in after if each not in before]
    rows = [Line(label, each, each) for each in before if each in after]
    return rows + [_line(label, old, new) for old, new in zip_longest(only_before, only_after, fillvalue="")]


def _line(label: str, before: str, now: str) -> Line:
    return Line(label, before or NOTHING, now or NOTHING, "" if before == now else _("Differs"))


def _counted(label: str, before: int | None, now: int | None, unit: str = "") -> Line:
    shown = [NOTHING if each is None else f"{each}{unit}" for each in (before, now)]
    has_changed = before is not None and now is not None and now != before
    change = f"{(now or 0) - (before or 0):+d}{unit}".replace("-", "−") if has_changed else ""
    return Line(label, shown[0], shown[1], change)

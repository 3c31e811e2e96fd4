"""A replay beside the call that was recorded: orders, turns and latency."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sessions.appointments.models import AppointmentState
from sessions.calls.models import Call
from sessions.orders.line_texts import text_of_line
from sessions.orders.models import VOID_STATES
from sessions.tools.dry_run import Booked, Made
from telephony.scenarios.expectations import written

from .replay import Replayed


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one of the two. Times in ms; None where nothing was measured."""

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
    reason = call.get_end_reason_display() if call.end_reason else ""
    return _figures(made, times, call.interruptions, call.duration_s, reason)


def figures_of_replay(replayed: Replayed) -> Figures:
    return _figures(
        replayed.made, replayed.response_ms, replayed.interruptions, replayed.duration_s, replayed.end_reason
    )


def same_result(one: Figures, other: Figures) -> bool:
    """The same order and appointments; the date of an appointment may be another one."""
    without_dates = [sorted(each.rpartition(" (")[0] for each in side.appointments) for side in (one, other)]
    return (sorted(one.order), one.total) == (sorted(other.order), other.total) and without_dates[0] == without_dates[1]


def table(replayed: Figures, original: Figures | None) -> list[tuple[str, str, str]]:
    """Label, original, replay. Lines of an order one below the other."""
    before = original or Figures((), "", (), 0, None, None, 0, None, "")
    rows = _listed("Order", before.order, replayed.order)
    rows.append(("Total", before.total or "–", replayed.total or "–"))
    rows += _listed("Appointment", before.appointments, replayed.appointments)
    for label, name, unit in (
        ("Turns", "turns", ""), ("Response time, median", "median_response_ms", " ms"),
        ("Response time, slowest", "slowest_response_ms", " ms"), ("Interruptions", "interruptions", ""),
        ("Duration", "duration_s", " s"), ("End", "end_reason", ""),
    ):  # fmt: skip
        rows.append((label, _shown(getattr(before, name), unit), _shown(getattr(replayed, name), unit)))
    return rows


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


def _listed(label: str, before: Sequence[str], after: Sequence[str]) -> list[tuple[str, str, str]]:
    """Equal lines beside each other, as far as both have them."""
    common = [each for each in before if each in after]
    only_before = [each for each in before if each not in after]
    only_after = [each for each in after if each not in before]
    rows = [(label, each, each) for each in common]
    for at in range(max(len(only_before), len(only_after))):
        old, new = (side[at] if at < len(side) else "–" for side in (only_before, only_after))
        rows.append((label, old, new))
    return rows


def _shown(value: object, unit: str) -> str:
    return "–" if value is None or value == "" else f"{value}{unit}"

"""A scenario made from a real call: what its caller said, and the order or appointments that came of it."""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.configuration.models import Agent
from sessions.appointments.models import Appointment, AppointmentState
from sessions.calls.models import Call, TranscriptLine
from sessions.orders.line_texts import text_of_line
from sessions.orders.models import VOID_STATES, Order
from voiceapp.core.errors import ApplicationError

from .expectations import WEEKDAYS
from .models import LONGEST_STEP, MOST_STEPS, Scenario

# Somebody who names a clock time wants that one; “as soon as possible” is another time tomorrow.
CLOCK = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|half|quarter)\b", re.IGNORECASE
)
LONGEST_NAME = 80


class NoScenario(ApplicationError):
    """The call cannot become a scenario; the sentence says why."""


def scenario_from_call(call: Call, *, agent: Agent | None = None) -> Scenario:
    """Pressed twice, it is made twice. Raises NoScenario.

    The steps are the caller's words: they are deleted with the caller's data.
    """
    if call.is_live:
        raise NoScenario(_("The call is in progress. Make the scenario when it is over."))
    agent = agent or call.agent
    if agent is None:
        raise NoScenario(_("The agent of this call is deleted: there is nothing to run a scenario against."))
    steps = [each.text for each in _said(call)]
    if not steps:
        raise NoScenario(_("The transcript has no words of the caller's, so there is nothing to say in a scenario."))
    if len(steps) > MOST_STEPS:
        raise NoScenario(
            _("The caller spoke %(count)d times; a scenario has at most %(most)d steps. Choose a shorter call.")
            % {"count": len(steps), "most": MOST_STEPS}
        )
    order = call.orders.exclude(state__in=VOID_STATES).order_by("-created_at").first()
    booked = call.appointments.exclude(state=AppointmentState.CANCELED).select_related("organization")
    lines = [" ".join(step.split())[:LONGEST_STEP] for step in steps]
    scenario = Scenario(
        agent=agent,
        steps="\n".join(lines),
        expected_order="\n".join(_order_lines(order)) if order else "",
        expected_total=order.total if order else None,
        expected_appointments="\n".join(_rule(each, " ".join(lines)) for each in booked.order_by("starts_at")),
        made_from=call,
    )
    return saved(scenario, name=_("Call of %(time)s") % {"time": _began(call)})


def _said(call: Call) -> list[TranscriptLine]:
    of_caller = call.lines.filter(speaker=TranscriptLine.Speaker.CALLER).exclude(text="")
    return [line for line in of_caller.order_by("spoken_at_ms", "id") if line.text.strip()]


def _order_lines(order: Order) -> list[str]:
    return [text_of_line(line) for line in order.lines.prefetch_related("modifiers")]


def _rule(appointment: Appointment, said: str) -> str:
    """What stays true when the same is said another day: the weekday and the time as far as the caller named them."""
    start = appointment.starts_at.astimezone(appointment.organization.zone)
    weekday = WEEKDAYS[start.weekday()]
    on = f" on {weekday}" if weekday.casefold() in said.casefold() else ""
    at = f" at {start:%H:%M}" if CLOCK.search(said) else ""
    return f"{appointment.service_name}{on}{at}"


def _began(call: Call) -> str:
    zone = call.organization.zone if call.organization else timezone.get_current_timezone()
    return f"{call.created_at.astimezone(zone):%Y-%m-%d %H:%M}"


def saved(scenario: Scenario, *, name: str) -> Scenario:
    """Under the first name that is free."""
    for number in range(1, 100):
        scenario.name = name if number == 1 else f"{name[: LONGEST_NAME - 6]} ({number})"
        try:
            with transaction.atomic():
                scenario.save()
        except IntegrityError:
            continue
        return scenario
    raise NoScenario(_("There are 99 scenarios of this call already. Delete some."))

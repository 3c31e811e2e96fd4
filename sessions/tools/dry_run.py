"""Runs tools against the real menu, hours and appointments, and keeps nothing of it.

Each use of a tool has a transaction of its own that is always rolled back: the call's row, the draft, the order, stock,
and what the outbox owes to others. Everything that leaves the database waits for a commit (voiceapp/core/jobs, and
`on_commit` of feeds and metrics), and so it never happens. No list, figure or sender has to know of dry runs. What the
earlier uses did is done again before the next one, because nothing is left of it. Why: docs/decisions/dry-runs.md.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import structlog
from django.db import transaction
from django.utils import timezone

from agents.configuration.models import Agent
from sessions.appointments.models import AppointmentState
from sessions.calls.models import Call, CallState
from sessions.calls.outcomes import ToolResult, refusal
from sessions.orders.draft import Refused
from sessions.orders.line_texts import text_of_line
from sessions.orders.services.drafts import standing_order
from voiceapp.core.transactions import NotSaved, retried

from .registry import READING_TOOLS
from .services import NOT_SAVED, answer_request, read_arguments
from .tool import Answer, result_of

logger = structlog.get_logger("tools")

# Each use does the earlier ones again, while SQLite lets nobody else write.
MOST_USES = 60
TOO_MANY = "I have done too much in this call already. Please call again."


@dataclass(frozen=True, slots=True)
class Booked:
    """An appointment that would have been made, on the organization's clock."""

    service: str
    starts_at: dt.datetime
    customer_name: str = ""
    vehicle: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """What would have come of the call so far: the order that stands, a text for each line, and the appointments.

    `is_known`: it was looked at, which a tool that only reads does not.
    """

    order: tuple[str, ...] = ()
    total: Decimal | None = None
    currency: str = ""
    appointments: tuple[Booked, ...] = ()
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a tool. `fault`: our own error, with which the tool broke off."""

    name: str
    arguments: Mapping[str, object]
    caller_turns: int
    result: ToolResult
    is_ok: bool
    duration_ms: int
    fault: str = ""


@dataclass(slots=True)
class DryRun:
    """The tools of one conversation with an agent. `tools`: those that it may use."""

    agent: Agent
    tools: Collection[str]
    caller_number: str = ""
    made: Made = Made()
    uses: list[Use] = field(default_factory=list)

    def run(self, name: str, arguments: str, *, caller_turns: int) -> Use:
        """The tool's answer as in a call; never raises for what the model wrote, nor for a tool that is broken."""
        try:
            read = read_arguments(arguments)
        except Refused as refused:
            return self._kept(name, {}, caller_turns, Answer(refused.say, is_ok=False), 0)
        if len(self.uses) >= MOST_USES:
            return self._kept(name, read, caller_turns, Answer(TOO_MANY, is_ok=False), 0)
        try:
            answer, duration_ms = retried(lambda: self._once(name, read, caller_turns), what="dry run of a tool")
        except NotSaved:
            return self._failed(name, read, caller_turns, "the database refused it")
        except Exception as exc:
            # Whoever tries out a tool learns that it is broken, as a caller would.
            logger.exception("tool crashed in a dry run", tool=name)
            return self._failed(name, read, caller_turns, type(exc).__name__)
        return self._kept(name, read, caller_turns, answer, duration_ms)

    def repeat(self, uses: Collection[Use]) -> None:
        """Continue after what another process ran of this conversation."""
        self.uses.extend(uses)

    def _once(self, name: str, read: Mapping[str, object], caller_turns: int) -> tuple[Answer, int]:
        with transaction.atomic():
            call = self._call()
            for use in self.uses:
                if use.name not in READING_TOOLS:
                    self._answer(call, use.name, use.arguments, use.caller_turns)
            began = time.monotonic()
            answer = self._answer(call, name, read, caller_turns)
            duration_ms = int((time.monotonic() - began) * 1000)
            if name not in READING_TOOLS:
                self.made = _made(call)
            transaction.set_rollback(True)
        return answer, duration_ms

    def _call(self) -> Call:
        return Call.objects.create(
            organization=self.agent.organization,
            agent=self.agent,
            state=CallState.CONNECTED,
            caller_number=self.caller_number,
            connected_at=timezone.now(),
        )

    def _answer(self, call: Call, name: str, read: Mapping[str, object], caller_turns: int) -> Answer:
        return answer_request(call, name, read, caller_turns=caller_turns, chosen=self.tools)

    def _failed(self, name: str, read: Mapping[str, object], caller_turns: int, fault: str) -> Use:
        return self._add(Use(name, read, caller_turns, refusal(NOT_SAVED), False, 0, fault))

    def _kept(self, name: str, read: Mapping[str, object], caller_turns: int, answer: Answer, ms: int) -> Use:
        return self._add(Use(name, read, caller_turns, result_of(answer.output()), answer.is_ok, ms))

    def _add(self, use: Use) -> Use:
        self.uses.append(use)
        return use


def _made(call: Call) -> Made:
    order, zone = standing_order(call), call.organization.zone if call.organization else dt.UTC
    booked = call.appointments.exclude(state=AppointmentState.CANCELED).order_by("starts_at")
    appointments = tuple(
        Booked(each.service_name, each.starts_at.astimezone(zone), each.customer_name, each.vehicle) for each in booked
    )
    if order is None:
        return Made(appointments=appointments, is_known=True)
    lines = tuple(text_of_line(line) for line in order.lines.prefetch_related("modifiers"))
    return Made(lines, order.total, order.currency, appointments, is_known=True)

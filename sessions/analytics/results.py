"""What came of calls, as the figures are split by it. A call can have several results; their names are joined.

The same as the outcomes by which the list of calls is filtered (call_lists/outcomes.py), computed for calls of a day.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from sessions.appointments.models import Appointment, AppointmentState
from sessions.call_lists.outcomes import CallOutcome, standing_orders
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import ANSWERED, Call, CallState

WITHOUT_CALL = ""


class CallResult(models.TextChoices):
    """What was made in a call; of a call in which nothing was made, how it ended."""

    ORDER = CallOutcome.ORDER.value, CallOutcome.ORDER.label
    APPOINTMENT = CallOutcome.APPOINTMENT.value, CallOutcome.APPOINTMENT.label
    TRANSFER = CallOutcome.TRANSFER.value, CallOutcome.TRANSFER.label
    VOICEMAIL = CallOutcome.VOICEMAIL.value, CallOutcome.VOICEMAIL.label
    ANSWERED = "answered", _("Answered, nothing else")
    MISSED = "missed", _("Missed, nothing else")
    FAILED = "failed", _("Failed, nothing else")
    WAITING = "waiting", _("Not answered yet")


MADE = (CallResult.ORDER, CallResult.APPOINTMENT, CallResult.TRANSFER, CallResult.VOICEMAIL)
# As read from the database, by the names that `made_in` gives them.
COLUMNS = ("made_order", "made_appointment", "left_message")


def made_in(call: str = "pk") -> dict[str, Exists]:
    """To annotate calls with, or rows whose column `call` names one."""
    of_call = OuterRef(call)
    return {
        "made_order": Exists(standing_orders().filter(call=of_call)),
        "made_appointment": Exists(Appointment.objects.filter(call=of_call).exclude(state=AppointmentState.CANCELED)),
        "left_message": Exists(Call.objects.filter(pk=of_call, voicemails__isnull=False)),
    }


def results_of(
    state: str | None, end_reason: str | None, made_order: bool, made_appointment: bool, left_message: bool
) -> str:
    """“order,transfer”; WITHOUT_CALL for a state of None."""
    if state is None:
        return WITHOUT_CALL
    is_transferred = end_reason == EndReason.TRANSFERRED
    made = zip(MADE, (made_order, made_appointment, is_transferred, left_message), strict=True)
    return ",".join(result for result, is_made in made if is_made) or _ending(state)


def _ending(state: str) -> CallResult:
    if state in ANSWERED:
        return CallResult.ANSWERED
    return {CallState.MISSED: CallResult.MISSED, CallState.FAILED: CallResult.FAILED}.get(
        CallState(state), CallResult.WAITING
    )


def joined_with(result: str) -> list[str]:
    """All that `results_of` returns for calls with this result."""
    if result not in MADE:
        return [result]
    every = (each for length in range(1, len(MADE) + 1) for each in combinations(MADE, length))
    return [_joined(each) for each in every if result in each]


def _joined(results: Iterable[CallResult]) -> str:
    return ",".join(results)

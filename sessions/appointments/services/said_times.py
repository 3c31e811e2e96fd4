"""When the time of an appointment was said on the call that booked it: looked up once the transcript is complete."""

from __future__ import annotations

from uuid import UUID

from sessions.appointments.models import Appointment
from sessions.calls.models import ToolCall
from sessions.calls.said_times import caller_lines, said_at_ms

# Where the model writes down which time the caller has said.
WORDS_OF_TIME = {"find_appointment_times": "when", "choose_appointment": "time"}


def settle_appointments(call_id: UUID) -> None:
    """Write `said_at_ms` of the appointments that the call booked; safe to repeat."""
    rows = list(Appointment.objects.filter(call=call_id))
    if not rows:
        return
    heard, wishes = caller_lines(call_id), _wishes(call_id)
    for row in rows:
        words = [text for turn, text in reversed(wishes) if row.said_turn is None or turn <= row.said_turn]
        row.said_at_ms = said_at_ms([*words, row.service_name], heard, row.said_turn)
        # Guarded like every change of an appointment, but no new version: nothing of it changes for its people.
        Appointment.objects.filter(pk=row.pk).update(said_at_ms=row.said_at_ms)


def _wishes(call_id: UUID) -> list[tuple[int, str]]:
    """The caller's words for times, as the model passed them on, with their turns."""
    calls = ToolCall.objects.filter(call=call_id, name__in=WORDS_OF_TIME).order_by("at", "id")
    found = []
    for name, arguments, turn in calls.values_list("name", "arguments", "turn"):
        text = arguments.get(WORDS_OF_TIME[name]) if isinstance(arguments, dict) else None
        if isinstance(text, str) and text.strip():
            found.append((turn, text))
    return found

"""The summary of a call that a person hears before accepting it: facts of the call, in sentences of ours."""

from __future__ import annotations

from django.utils import timezone

from sessions.appointments.models import Appointment, AppointmentState
from sessions.appointments.wording import say_start
from sessions.calls.models import Call, ToolCall
from sessions.orders.models import VOID_STATES
from telephony.twilio.phrases import Phrase, phrase, spoken_language
from voiceapp.core.phones.numbers import CallerKind, read_caller

MOST_APPOINTMENTS = 3
MOST_CHARACTERS = 1200  # a <Say> takes 4096


def summary_of(call: Call, *, language: str) -> str:
    """One text, in the language of the agent. Who calls, what it is about, and what the call has made so far."""
    organization = call.organization.name if call.organization else ""
    sentences = [phrase(Phrase.ANNOUNCEMENT, language, organization=organization)]
    sentences += _who(call, language)
    if reason := _reason(call):
        sentences.append(phrase(Phrase.ABOUT, language, reason=reason.rstrip(".!? ")))
    sentences += [
        phrase(Phrase.ORDER, language, number=order.number)
        for order in call.orders.exclude(state__in=VOID_STATES).order_by("created_at")
    ]
    sentences += [_appointment(appointment, language) for appointment in _appointments(call)]
    return " ".join(sentences)[:MOST_CHARACTERS]


def _who(call: Call, language: str) -> list[str]:
    sentences = []
    if name := _name(call):
        sentences.append(phrase(Phrase.CALLER_NAME, language, name=name))
    caller = read_caller(call.caller_number)
    if caller.kind is CallerKind.NUMBER:
        # Digit by digit: a voice would read a long number as millions.
        digits = " ".join(caller.number.removeprefix("+"))
        sentences.append(phrase(Phrase.CALLER_NUMBER, language, number=digits))
    return sentences


def _name(call: Call) -> str:
    """As the caller gave it for an order or an appointment, in this call or before."""
    order = call.orders.exclude(customer_name="").order_by("-created_at").first()
    appointments = _appointments(call)
    return order.customer_name if order is not None else appointments[0].customer_name if appointments else ""


def _appointments(call: Call) -> list[Appointment]:
    """Those that the call has made; otherwise the next one that was booked for the caller's number."""
    booked = Appointment.objects.filter(organization=call.organization, state=AppointmentState.BOOKED)
    made = list(booked.filter(call=call).order_by("starts_at")[:MOST_APPOINTMENTS])
    number = read_caller(call.caller_number).number
    if made or not number:
        return made
    upcoming = booked.filter(customer_number=number, starts_at__gt=timezone.now())
    return list(upcoming.order_by("starts_at")[:1])


def _appointment(appointment: Appointment, language: str) -> str:
    zone, now = appointment.organization.zone, timezone.now()
    start = appointment.starts_at.astimezone(zone)
    is_english = spoken_language(language) == "en"
    when = say_start(appointment.starts_at, now, zone) if is_english else f"{start:%d.%m.%Y, %H:%M}"
    service = " ".join(filter(None, (appointment.service_name, appointment.vehicle)))
    return phrase(Phrase.APPOINTMENT, language, service=service, when=when)


def _reason(call: Call) -> str:
    """What the model said that it is about, when it requested the transfer."""
    request = call.tool_calls.filter(name="transfer_call", outcome=ToolCall.Outcome.DONE).order_by("-at", "-id").first()
    arguments = request.arguments if request is not None and isinstance(request.arguments, dict) else {}
    return str(arguments.get("reason") or "")

"""Texts about an appointment: booked, moved, canceled, and the reminder before it."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from sessions.calls.models import Call
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import Text, TextSettings, TextState, text_settings_of
from sessions.messages.texts.quiet_hours import NOTICE, reminder_time
from sessions.messages.texts.reasons import TextReason
from sessions.messages.texts.services.checking import number_of
from sessions.messages.texts.services.queueing import queue_text, text_language
from sessions.messages.texts.wording import date_words, time_words
from sessions.moves import HELD_FOR

from .models import Appointment, AppointmentState

# What people do at the desk is sent a little later, and not at all where it is undone before.
HELD = (TextKind.APPOINTMENT_MOVED, TextKind.APPOINTMENT_CANCELED)


def text_customer(appointment: Appointment, kind: TextKind, *, call: Call | None, is_undo: bool = False) -> None:
    """Confirm what became of the appointment, where the organization wants it, and plan or withdraw its reminder.

    In the transaction of the change. `call` is the one on which it happened, if it was one. Of a change that `is_undo`
    takes back before the customer was notified of it, nothing is sent.
    """
    now = timezone.now()
    _withdraw_reminders(appointment, now)
    if appointment.starts_at <= now:
        return
    wishes = text_settings_of(appointment.organization)
    is_told = wishes.confirms_appointments and not (is_undo and _withdraw_held(appointment, now))
    due_at = now + HELD_FOR if call is None and kind in HELD else None
    text = text_about(appointment, kind, call=call, due_at=due_at) if is_told else None
    if kind != TextKind.APPOINTMENT_CANCELED and (text is None or not text.reason):
        _plan_reminder(appointment, wishes, now)


def text_about(
    appointment: Appointment, kind: TextKind, *, call: Call | None, due_at: dt.datetime | None = None
) -> Text | None:
    """The text of that kind about the appointment as it is now; repeated, the same one. None without a number."""
    call = call or appointment.call
    number = number_of(call) if call is not None else appointment.customer_number
    if call is None and not number:
        return None
    return queue_text(
        appointment.organization,
        to=number,
        kind=kind,
        fields=_facts(appointment, call),
        key=f"appointment:{appointment.pk}:{appointment.version}:{kind}",
        call=call,
        about=str(appointment.pk),
        about_at=appointment.starts_at,
        due_at=due_at,
    )


def newest_text(appointment: Appointment, kind: TextKind) -> Text | None:
    """The text that confirms it, which the agent may mention."""
    return Text.objects.filter(organization=appointment.organization_id, about=str(appointment.pk), kind=kind).first()


def still_stands(text: Text) -> bool:
    """Whether the appointment that the text speaks of, if it names one, is still so."""
    if not text.about:
        return True
    appointment = Appointment.objects.filter(organization=text.organization_id, pk=text.about).first()
    if appointment is None or appointment.starts_at != text.about_at:
        return False
    is_canceled = appointment.state == AppointmentState.CANCELED
    return is_canceled == (text.kind == TextKind.APPOINTMENT_CANCELED)


def _plan_reminder(appointment: Appointment, wishes: TextSettings, now: dt.datetime) -> None:
    due_at = reminder_time(appointment.starts_at, hours_before=wishes.reminder_hours, quiet=wishes.quiet_hours, now=now)
    call = appointment.call
    number = number_of(call) if call is not None else appointment.customer_number
    if due_at is None or not number:
        return
    queue_text(
        appointment.organization,
        to=number,
        kind=TextKind.APPOINTMENT_REMINDER,
        fields=_facts(appointment, call),
        # Moved there and back it is the same one.
        key=f"appointment:{appointment.pk}:reminder:{appointment.starts_at:%Y%m%dT%H%M}",
        call=call,
        about=str(appointment.pk),
        about_at=appointment.starts_at,
        due_at=due_at,
        not_after=appointment.starts_at - NOTICE / 2,
    )


def _withdraw_reminders(appointment: Appointment, now: dt.datetime) -> None:
    reminders = Text.objects.filter(
        organization=appointment.organization_id,
        about=str(appointment.pk),
        kind=TextKind.APPOINTMENT_REMINDER,
        state=TextState.WAITING,
    )
    reminders.update(state=TextState.NOT_SENT, reason=TextReason.CHANGED, ended_at=now)


def _withdraw_held(appointment: Appointment, now: dt.datetime) -> bool:
    """Whether the customer would have been notified of the last change, and now is not."""
    about = Text.objects.filter(organization=appointment.organization_id, about=str(appointment.pk), kind__in=HELD)
    last = list(about.order_by("-created_at").values_list("pk", flat=True)[:1])
    held = Text.objects.filter(pk__in=last, state=TextState.WAITING, sending_since=None)
    return bool(held.update(state=TextState.NOT_SENT, reason=TextReason.CHANGED, ended_at=now))


def _facts(appointment: Appointment, call: Call | None) -> dict[str, object]:
    language = text_language(appointment.organization, call)
    local = appointment.starts_at.astimezone(appointment.organization.zone)
    return {
        "service": appointment.service_name,
        "date": date_words(local, language),
        "time": time_words(local, language),
    }

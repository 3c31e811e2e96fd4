"""Sends a text again that was not sent or not delivered, when an operator wants it."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from sessions.calls.services import record_event
from sessions.messages.texts.models import LONGEST_KEY, Text, TextState, text_settings_of
from sessions.messages.texts.reasons import TextReason, explanation_of
from voiceapp.core.errors import ApplicationError
from voiceapp.core.transactions import serialize

from .checking import cap_reached, sender_of, why_not
from .queueing import AGAIN, SENT_WITHIN, enqueue, event_of

# Another attempt cannot end otherwise, or would say what is no longer true.
FINAL = (TextReason.CHANGED, TextReason.NO_NUMBER, TextReason.LANDLINE, TextReason.INVALID_NUMBER)


class NotSentAgain(ApplicationError):
    """The message says why."""


def may_resend(text: Text) -> bool:
    """Whether the customer has not got it, and another attempt may help."""
    if text.is_inbound or not text.kind or text.reason in FINAL:
        return False
    return text.state in (TextState.FAILED, TextState.NOT_SENT)


def resend(text: Text, *, now: dt.datetime | None = None) -> Text:
    """A new text with the same body, queued now; pressed twice, there is one. Raises NotSentAgain."""
    now = now or timezone.now()
    with transaction.atomic():
        serialize(f"sessions.texts:{text.organization_id}")
        key = f"{AGAIN}{text.pk}"[:LONGEST_KEY]
        known = Text.objects.filter(organization=text.organization_id, key=key).first()
        if known is not None:
            return known
        wishes = text_settings_of(text.organization)
        sender = sender_of(text.organization, text.call)
        reason = why_not(text.organization, wishes, text.number, sender=sender)
        reason = reason or cap_reached(text.organization, wishes, text.number, at=now)
        if reason is not None:
            explanation = explanation_of(reason)
            raise NotSentAgain(f"{explanation.cause} {explanation.fix}")
        again = Text.objects.create(
            organization=text.organization,
            call=text.call,
            kind=text.kind,
            key=key,
            about=text.about,
            about_at=text.about_at,
            number=text.number,
            our_number="" if wishes.messaging_service_sid else sender,
            body=text.body,
            segments=text.segments,
            due_at=now,
            not_after=now + SENT_WITHIN,
        )
        enqueue(again)
        if again.call_id is not None:
            record_event(again.call_id, "text_queued", event_of(again))
    return again

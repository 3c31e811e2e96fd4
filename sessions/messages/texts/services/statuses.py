"""What the carrier says of a text, in any order and repeated; what is delivered or failed stays so."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import structlog
from django.db import transaction
from django.utils import timezone

from sessions.analytics.changes import note_day_change
from sessions.calls.services import record_event
from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.texts.announcing import announce_text
from sessions.messages.texts.models import OptOut, Text, TextState
from sessions.messages.texts.reasons import TextReason, reason_of

from .opt_outs import set_opt_out
from .queueing import event_of

logger = structlog.get_logger("texts")

# Callbacks may overtake each other (protocols A6): a status of no higher rank than the last one is old news.
RANKS = {"accepted": 1, "scheduled": 1, "queued": 2, "sending": 3, "sent": 4, "partially_delivered": 5,
         "delivered": 6, "undelivered": 6, "failed": 6, "canceled": 6, "read": 7}  # fmt: skip
DELIVERED = {"delivered", "read"}
FAILED = {"undelivered", "failed", "canceled"}
# Called with each text that failed, in the transaction that says so. Registered from above (sessions/handlers.py).
when_failed: list[Callable[[Text], None]] = []
# Called with each text whose state has changed, in the same way.
when_changed: list[Callable[[Text], None]] = []
TERMINAL = (TextState.DELIVERED, TextState.FAILED, TextState.NOT_SENT, TextState.RECEIVED)


def note_status(
    sid: str, status: str, *, text_id: uuid.UUID | None = None, error_code: int | None = None, segments: int = 0
) -> Text | None:
    """Keep a status of the text with that carrier ID, or of `text_id` if its carrier ID is not known yet.

    So a text whose response was lost is found by its callback. Returns None for a text that is not ours.
    """
    if status not in RANKS:
        return None
    with transaction.atomic():
        text = _find(sid, text_id)
        if text is None:
            return None
        if text.provider_sid is None:
            text.provider_sid, text.sent_at = sid, timezone.now()
            note_day_change(text.organization_id, text.sent_at)
        text.segments = segments or text.segments
        is_open = text.state not in TERMINAL or text.reason == TextReason.NO_RESPONSE
        is_news = is_open and RANKS[status] > RANKS.get(text.carrier_status, 0)
        if is_news or (status == "read" and text.state == TextState.DELIVERED):
            _apply(text, status, error_code)
        text.save()
        if is_news:
            _changed(text)
        if is_news and text.state == TextState.FAILED:
            _failed(text)
        elif is_news and text.state == TextState.DELIVERED:
            announce_text(text, WebhookEvent.TEXT_DELIVERED)
    return text


def note_failure(text: Text, reason: TextReason, *, error_code: int | None = None) -> None:
    """The carrier refused the text, or never responded: it has no carrier ID."""
    with transaction.atomic():
        changed = Text.objects.filter(pk=text.pk, state=TextState.WAITING, provider_sid=None).update(
            state=TextState.FAILED, reason=reason, error_code=error_code, ended_at=timezone.now()
        )
        if changed:
            text.refresh_from_db()
            _changed(text)
            _failed(text)


def refuse(text: Text, reason: TextReason) -> None:
    """A waiting text is not sent after all. What the caller has changed meanwhile is no news to the caller."""
    with transaction.atomic():
        changed = Text.objects.filter(pk=text.pk, state=TextState.WAITING).update(
            state=TextState.NOT_SENT, reason=reason, ended_at=timezone.now()
        )
        if not changed:
            return
        text.refresh_from_db()
        _changed(text)
        if text.call_id is not None:
            record_event(text.call_id, "text_not_sent", event_of(text))
        announce_text(text, WebhookEvent.TEXT_FAILED)
        if reason != TextReason.CHANGED:
            for report in when_failed:
                report(text)


def _find(sid: str, text_id: uuid.UUID | None) -> Text | None:
    texts = Text.objects.select_for_update(of=("self",)).select_related("organization")
    text = texts.filter(provider_sid=sid).first()
    if text is None and text_id is not None:
        text = texts.filter(pk=text_id, provider_sid=None).exclude(state=TextState.NOT_SENT).first()
        if text is None:
            logger.warning("a status of an unknown text", sid=sid, text_id=str(text_id))
    return text


def _apply(text: Text, status: str, error_code: int | None) -> None:
    text.carrier_status, text.reason = status, ""
    if status in DELIVERED:
        text.state = TextState.DELIVERED
    elif status in FAILED:
        text.state, text.reason, text.error_code = TextState.FAILED, reason_of(error_code), error_code
    else:
        text.state = TextState.SENT
        return
    text.ended_at = text.ended_at or timezone.now()


def _changed(text: Text) -> None:
    for report in when_changed:
        report(text)


def _failed(text: Text) -> None:
    if text.reason == TextReason.OPTED_OUT:
        set_opt_out(text.organization, text.number, is_out=True, source=OptOut.Source.CARRIER)
    if text.call_id is not None:
        record_event(text.call_id, "text_failed", event_of(text))
    announce_text(text, WebhookEvent.TEXT_FAILED)
    logger.warning("text not delivered", text_id=str(text.pk), reason=text.reason, error_code=text.error_code)
    for report in when_failed:
        report(text)

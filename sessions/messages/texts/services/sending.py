"""Sends a queued text by Twilio, once: a request whose response was lost is looked up before it is repeated."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.utils import timezone

from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import Text, TextState, text_settings_of
from sessions.messages.texts.reasons import TextReason, reason_of
from voiceapp.core.kept_texts import KeptText
from voiceapp.core.plain_text import one_line
from voiceapp.core.transactions import release_connections
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.twilio.messages import CarrierMessage, MessageRefused, MessagesClient

from .checking import known_failure, sender_of, why_not
from .queueing import AGAIN, enqueue
from .statuses import note_failure, note_status, refuse

# After an interrupted request the text may still appear at Twilio for so long.
SETTLES_WITHIN_S = 15.0

# By kind: whether what the text says is still true. Registered from above (sessions/handlers.py).
still_true: dict[str, Callable[[Text], bool]] = {}


def send_text(message: OutboxMessage) -> None:
    """The outbox's handler. A text that the carrier refuses is kept as failed, and its message is done."""
    text = Text.objects.select_related("organization", "call").filter(pk=str(message.body["textId"])).first()
    if text is None or text.state != TextState.WAITING:
        return
    try:
        _send_once(text)
    except MessageRefused as refused:
        note_failure(text, reason_of(refused.code), error_code=refused.code)
    except ProviderError:
        if message.attempts >= outbox.max_attempts:
            note_failure(text, TextReason.NO_RESPONSE)
        raise


def _send_once(text: Text) -> None:
    client = MessagesClient.from_settings() if settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN else None
    if client is not None and text.sending_since is not None and _was_sent(client, text):
        return
    reason = _why_not_now(text)
    if reason is not None or client is None:
        refuse(text, reason or TextReason.NOT_CONFIGURED)
    elif not _was_postponed(text):
        _send(client, text)


def _why_not_now(text: Text) -> TextReason | None:
    """What may have changed since it was queued."""
    if text.not_after is not None and timezone.now() > text.not_after:
        return TextReason.TOO_LATE
    if text.kind in still_true and not still_true[text.kind](text):
        return TextReason.CHANGED
    sender = text.our_number or sender_of(text.organization, text.call)
    wishes = text_settings_of(text.organization)
    reason = why_not(text.organization, wishes, text.number, sender=sender)
    if reason is not None or text.key.startswith(AGAIN):
        return reason
    return known_failure(text.organization, text.number, sender=text.our_number)


def _was_postponed(text: Text) -> bool:
    """A reminder whose turn comes in quiet hours, because a worker was late or the hours were changed, waits."""
    if text.kind != TextKind.APPOINTMENT_REMINDER:
        return False
    quiet = text_settings_of(text.organization).quiet_hours.around(timezone.now())
    if quiet is None:
        return False
    text.due_at = quiet[1]
    text.save(update_fields=["due_at"])
    enqueue(text)
    return True


def _send(client: MessagesClient, text: Text) -> None:
    # Committed before the request: a worker that takes over from a killed one knows that it may have been sent.
    Text.objects.filter(pk=text.pk).update(sending_since=timezone.now())
    service = text_settings_of(text.organization).messaging_service_sid
    release_connections()
    sent = client.send_message(
        to=text.number,
        body=text.body,
        from_number=text.our_number or sender_of(text.organization, text.call),
        messaging_service_sid="" if text.our_number else service,
        status_callback=f"{settings.PUBLIC_BASE_URL}/twilio/message-status?text={text.pk}#rc=3&rp=5xx,ct,rt",
    )
    _keep(text, sent)


def _keep(text: Text, sent: CarrierMessage) -> None:
    note_status(sent.sid, sent.status, text_id=text.pk, error_code=sent.error_code, segments=sent.segments)


def _was_sent(client: MessagesClient, text: Text) -> bool:
    """Whether Twilio has the text of an interrupted request. Raises ProviderError while that is not sure."""
    assert text.sending_since is not None
    release_connections()
    for each in client.find_messages(to=text.number, since=text.sending_since):
        is_same = one_line(each.body) == one_line(text.body)
        if is_same and not Text.objects.filter(provider_sid=each.sid).exists():
            _keep(text, each)
            return True
    wait_s = SETTLES_WITHIN_S - (timezone.now() - text.sending_since).total_seconds()
    if wait_s > 0:
        raise ProviderError("twilio", KeptText("did not respond; the text may still appear"), retry_after_s=wait_s)
    return False

"""What an organization's endpoints receive of a text (docs/reference/webhooks.md)."""

from __future__ import annotations

from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.endpoints.services.announcing import announce_event, utc_ms
from sessions.messages.texts.models import Text
from voiceapp.core.phones.numbers import read_caller


def announce_text(text: Text, event: WebhookEvent) -> None:
    announce_event(
        event, organization_id=text.organization_id, about=f"text:{text.pk}", data=lambda: data_of(text, event)
    )


def data_of(text: Text, event: WebhookEvent) -> dict[str, object]:
    """With its words if a customer wrote them: those of ours are in the admin."""
    words = {"body": text.body} if event is WebhookEvent.TEXT_RECEIVED else {}
    return {
        "id": str(text.pk),
        "orgId": str(text.organization_id),
        "callId": None if text.call_id is None else str(text.call_id),
        "kind": text.kind,
        "state": text.state,
        "reason": text.reason,
        "customerNumber": read_caller(text.number).number,
        "ourNumber": text.our_number,
        "createdAt": utc_ms(text.created_at),
        **words,
    }

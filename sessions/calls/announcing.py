"""What an organization's endpoints receive when a call ends (docs/reference/webhooks.md)."""

from __future__ import annotations

from uuid import UUID

from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.endpoints.services.announcing import announce_event, utc_ms
from voiceapp.core.phones.numbers import read_caller

from .models import Call


def announce_end(call_id: UUID) -> None:
    """In the transaction that ends the call."""
    organization_id = Call.objects.filter(pk=call_id).values_list("organization_id", flat=True).first()
    announce_event(
        WebhookEvent.CALL_ENDED,
        organization_id=organization_id,
        about=f"call:{call_id}",
        data=lambda: data_of(Call.objects.select_related("agent").get(pk=call_id)),
    )


def data_of(call: Call) -> dict[str, object]:
    connected_at, ended_at = call.connected_at, call.ended_at
    duration_s = round((ended_at - connected_at).total_seconds()) if connected_at and ended_at else 0
    return {
        "id": str(call.pk),
        "orgId": str(call.organization_id),
        "agentId": None if call.agent is None else str(call.agent.pk),
        "agent": "" if call.agent is None else call.agent.name,
        "kind": call.kind,
        "direction": call.direction,
        "callerNumber": read_caller(call.caller_number).number,
        "dialedNumber": call.dialed_number,
        "state": call.state,
        "endReason": call.end_reason,
        "transferredTo": call.transferred_to,
        "createdAt": utc_ms(call.created_at),
        "connectedAt": None if connected_at is None else utc_ms(connected_at),
        "endedAt": None if ended_at is None else utc_ms(ended_at),
        "durationSeconds": duration_s,
    }

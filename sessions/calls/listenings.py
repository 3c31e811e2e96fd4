"""The audit log of listening in on live calls: who, when, for how long."""

from __future__ import annotations

import structlog
from django.db import transaction
from django.utils import timezone

from .models import Call, CallListening
from .services import record_event

logger = structlog.get_logger("calls")

# Of one call: so many read along, and so many hear it.
MOST_LISTENERS = 8


def begin_listening(call: Call, *, by: str, room_identity: str | None = None) -> int:
    """Write it before the first sound is sent. Returns its number for `end_listening`.

    `room_identity`: of the hidden participant, where the call is in a LiveKit room.
    """
    if call.organization_id is None:
        raise ValueError("Calls without an organization have no agent to whom one could listen.")
    with transaction.atomic():
        listening = CallListening.objects.create(
            organization_id=call.organization_id, call_number=call.pk, principal=by[:150], room_identity=room_identity
        )
        record_event(call.pk, "listening_began", {"by": by})
    logger.info("listening began", call_id=str(call.pk), by=by)
    return listening.pk


def end_listening(number: int) -> None:
    """Once; a call that was deleted meanwhile has no timeline any more."""
    with transaction.atomic():
        ended = CallListening.objects.filter(pk=number, ended_at=None)
        if not ended.update(ended_at=timezone.now()):
            return
        listening = CallListening.objects.get(pk=number)
        if Call.objects.filter(pk=listening.call_number).exists():
            record_event(listening.call_number, "listening_ended", {"by": listening.principal})

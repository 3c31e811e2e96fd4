"""Which of our calls a message of VAPI's is about."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from sessions.calls.models import Call
from voiceapp.providers.vapi.messages import VapiMessage, text_of

from .models import SyncedAssistant, VapiLeg
from .recording import note_recording

# VAPI's report follows the end of the call by some seconds; after this, it is requested.
FIRST_CHECK_AFTER = dt.timedelta(minutes=2)
# No call lasts longer than four hours at a carrier; a message that names an older one is not about it.
NAMED_WITHIN = dt.timedelta(hours=5)
# What we send to VAPI with each call; VAPI repeats it in each message.
CALL_ID_KEY = "callId"


class CallUnknown(Exception):
    """The message is about no call of ours, or claims to be about another organization's. `reason` for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def open_leg(call_id: UUID, vapi_id: str, *, assistant_id: str = "", carries_phone: bool = False) -> VapiLeg:
    """Note that VAPI plays the agent of this call. May be repeated; raises CallUnknown where the id is another's."""
    known, is_new = VapiLeg.objects.get_or_create(
        vapi_id=vapi_id,
        defaults={
            "call_id": call_id,
            "assistant_id": assistant_id,
            "carries_phone": carries_phone,
            "check_at": timezone.now() + FIRST_CHECK_AFTER,
        },
    )
    if known.call_id != call_id:
        raise CallUnknown("other_call")
    if is_new:
        note_recording(known)
    return known


def find_leg(message: VapiMessage) -> VapiLeg:
    """The call of a genuine message, with its organization and version. Raises CallUnknown.

    By VAPI's id. A message may come before the process that made the call has written that: then by our own id, which
    the call was made with.
    """
    if not message.call_id:
        raise CallUnknown("no_call_id")
    named = text_of(message.metadata, CALL_ID_KEY, longest=64)
    known = _known(message.call_id) or _named(message, named)
    if named and named != str(known.call_id):
        raise CallUnknown("other_call")
    if is_foreign(message.assistant_id, known.call.organization_id):
        raise CallUnknown("other_organization")
    return known


def _known(vapi_id: str) -> VapiLeg | None:
    return (
        VapiLeg.objects.select_related("call__organization", "call__agent_version", "call__agent")
        .filter(vapi_id=vapi_id)
        .first()
    )


def _named(message: VapiMessage, named: str) -> VapiLeg:
    try:
        call_id = UUID(named)
    except ValueError as exc:
        raise CallUnknown("unknown") from exc
    is_recent = Call.objects.filter(pk=call_id, created_at__gt=timezone.now() - NAMED_WITHIN)
    with transaction.atomic():
        if not is_recent.exclude(organization=None).exists():
            raise CallUnknown("unknown")
        open_leg(call_id, message.call_id, assistant_id=message.assistant_id)
    known = _known(message.call_id)
    if known is None:  # pragma: no cover - it was just written
        raise CallUnknown("unknown")
    return known


def is_foreign(assistant_id: str, organization_id: UUID | None) -> bool:
    """Whether the assistant is that of another organization's agent."""
    if not assistant_id:
        return False
    return (
        SyncedAssistant.objects.filter(assistant_id=assistant_id).exclude(agent__organization=organization_id).exists()
    )

"""Transfers of calls in rooms: LiveKit's SIP trunk calls a person's phone into the room."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone

from sessions.calls.models import Call
from sessions.calls.persons_called import TOO_MANY_TODAY, are_too_many
from sessions.calls.services import record_event
from sessions.orders.services.transfer_targets import target_to_call
from sessions.rooms.models import Participant, RoomToken
from voiceapp.core.errors import ApplicationError
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError

from .phones import dial_phone

logger = structlog.get_logger("room_transfers")


class PersonNotCalled(ApplicationError):
    """No phone rings. The message is for the caller."""

    message = "I cannot connect you from here. Please call us by phone for that."


def call_person(call_id: UUID, slug: str) -> str:
    """Call the target, or the first person of the department who is there; who they are in the room.

    Their phone rings; LiveKit's `sip.callStatus` says when it is answered. Raises PersonNotCalled.
    """
    call = Call.objects.select_related("organization").get(pk=call_id)
    target = target_to_call(call, slug, now=timezone.now())
    if target is None or not settings.LIVEKIT_SIP_TRUNK_ID or not call.is_live:
        raise PersonNotCalled
    if are_too_many(target.organization):
        record_event(call.pk, "transfer_number_refused", {"target": target.name, "why": TOO_MANY_TODAY})
        raise PersonNotCalled
    try:
        return dial_phone(call, target.number, client=LiveKitClient.from_settings(), role=RoomToken.Role.MEMBER)
    except LiveKitError as error:
        logger.warning("person not called", call_id=str(call_id), target=slug, error=str(error))
        raise PersonNotCalled from error


def callee_is_there(call_id: UUID) -> bool:
    """Whether the call's callee is in its room, to whom the agent can leave the caller."""
    callees = RoomToken.objects.filter(call_id=call_id, role=RoomToken.Role.CALLEE).values("identity")
    present = Participant.objects.filter(call_id=call_id, joined_at__isnull=False, left_at=None)
    return present.filter(identity__in=callees).exists()

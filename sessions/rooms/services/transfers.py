"""Transfers of calls in rooms: LiveKit's SIP trunk calls a person's phone into the room."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone

from agents.hours.queries import load_schedule, target_schedule
from agents.transfers.models import TransferTarget
from agents.transfers.numbers import why_not_called
from sessions.calls.models import Call
from sessions.rooms.models import RoomToken
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
    target = _target(call, slug)
    if target is None or not settings.LIVEKIT_SIP_TRUNK_ID or not call.is_live:
        raise PersonNotCalled
    try:
        return dial_phone(call, target.number, client=LiveKitClient.from_settings(), role=RoomToken.Role.MEMBER)
    except LiveKitError as error:
        logger.warning("person not called", call_id=str(call_id), target=slug, error=str(error))
        raise PersonNotCalled from error


def _target(call: Call, slug: str) -> TransferTarget | None:
    """One whose number may be called, and who is there now."""
    if call.organization is None:
        return None
    targets = TransferTarget.objects.filter(organization=call.organization).select_related("organization")
    schedule, now = load_schedule(call.organization), timezone.now()
    for target in targets.prefetch_related("hours"):
        is_wanted = slug in (target.slug, target.department_slug)
        if is_wanted and target_schedule(target, schedule).is_open_at(now):
            why = why_not_called(target.number, call.organization)
            if why is None:
                return target
            logger.warning("person not called", call_id=str(call.pk), target=target.slug, reason=why)
    return None

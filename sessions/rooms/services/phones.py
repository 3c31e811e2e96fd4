"""Phones in rooms: a callee who is a phone number is dialed by LiveKit's SIP trunk."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError

from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from agents.transfers.numbers import MESSAGES, why_not_called
from sessions.calls.models import Call
from sessions.rooms.models import RoomToken
from voiceapp.core.errors import ApplicationError
from voiceapp.core.phones.numbers import read_number, show_number, validate_dialable
from voiceapp.core.transactions import release_connections
from voiceapp.providers.livekit.client import LiveKitClient

from .tokens import issue_room_token


class PhoneRefused(ApplicationError):
    """The number may not be called."""


class NoTrunk(ApplicationError):
    """LiveKit has no way to call phones."""

    message = "Phones cannot be called into rooms: LIVEKIT_SIP_TRUNK_ID, LiveKit's outbound SIP trunk, is not set."


def is_phone(callee: str) -> bool:
    """Phone numbers are written with a plus; no principal's subject begins so."""
    return callee.lstrip().removeprefix("tel:").startswith("+")


def number_to_dial(principal: Principal, callee: str) -> str:
    """E.164 of a callee's number, if this principal's organization may call it. Raises PhoneRefused and NoTrunk."""
    try:
        number = read_number(callee)
        validate_dialable(number)
    except ValidationError as error:
        raise PhoneRefused(str(error.message)) from error
    if principal.organization_id is None:
        raise PhoneRefused("Only an organization may call phones. Act for one.")
    organization = Organization.objects.get(pk=principal.organization_id)
    why = why_not_called(number, organization)
    if why:
        raise PhoneRefused(MESSAGES.get(why, "This number cannot be called."))
    if not settings.LIVEKIT_SIP_TRUNK_ID:
        raise NoTrunk
    return number


def dial_phone(call: Call, number: str, *, client: LiveKitClient, role: RoomToken.Role = RoomToken.Role.CALLEE) -> str:
    """Have LiveKit call a phone into the call's room; its identity there. Raises NoTrunk and LiveKitError."""
    trunk_id = settings.LIVEKIT_SIP_TRUNK_ID
    if not trunk_id:
        raise NoTrunk
    name = show_number(number)
    identity = issue_room_token(call, subject=number, role=role, name=name).identity
    release_connections()
    client.dial_phone(str(call.room_name), trunk_id=trunk_id, number=number, identity=identity, name=name)
    return identity

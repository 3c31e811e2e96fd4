"""Room tokens: an identity for one room, with a signed token that lets its holder join for ten minutes."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from agents.organizations.principal import Principal
from agents.organizations.services import display_name
from sessions.calls.models import Call, CallListening, CallType
from sessions.rooms.models import RoomAgent, RoomToken
from voiceapp.providers.livekit.client import JOIN_TOKEN_TTL_S, LiveKitClient

Role = RoomToken.Role

FRIENDLY = {Role.CALLER: "Caller", Role.CALLEE: "Callee", Role.MEMBER: "Participant", Role.AGENT: "Agent"}


@dataclass(frozen=True, slots=True)
class Ticket:
    """A room token, its signed text (stored nowhere), and the server that accepts it."""

    room_token: RoomToken
    token: str
    server_url: str


def issue_room_token(call: Call, *, subject: str, role: RoomToken.Role, name: str) -> RoomToken:
    """An identity of 128 random bits: who joins under one that is in the room puts the first one out."""
    identity = f"{role}-{secrets.token_hex(16)}"
    return RoomToken.objects.create(call=call, identity=identity, subject=subject, role=role, name=name)


def ticket_for(room_token: RoomToken, *, client: LiveKitClient) -> Ticket:
    """Only signs: no request to LiveKit. Where an agent is expected or there, the holder may write to it."""
    token = client.join_token(
        room=str(room_token.call.room_name),
        identity=room_token.identity,
        name=room_token.name,
        can_write=RoomAgent.objects.present().filter(call=room_token.call).exists(),
    )
    return Ticket(room_token, token, client.browser_url)


def ticket_to_join(call: Call, principal: Principal, *, name: str = "", role: str = "") -> Ticket | None:
    """A token for a principal who may see the call; None if they may not join it. Raises LiveKitError.

    `role` is whose token it is: the key that started the call may choose, of others it has to be their own.
    """
    client = LiveKitClient.from_settings()
    own = role_in(call, principal)
    given = Role(role) if role and principal.is_key and principal.subject == call.owner else own
    if given is None or role not in ("", given):
        return None
    room_token = issue_room_token(
        call, subject=principal.subject, role=given, name=name_for(principal, given, requested=name)
    )
    return ticket_for(room_token, client=client)


def claim_callee(call: Call, principal: Principal) -> bool:
    """In a call between two without a named callee, the second person who comes with the room's name is the callee.

    They are of the same organization, or neither has one. True if this principal became the callee.
    """
    is_caller = principal.subject == call.owner and not principal.is_key
    if call.call_type != CallType.USER_TO_USER or call.callee or is_caller or not _is_of_its_tenant(call, principal):
        return False
    is_claimed = Call.objects.live().filter(pk=call.pk, callee="").update(callee=principal.subject)
    call.refresh_from_db(fields=["callee"])
    return bool(is_claimed)


def _is_of_its_tenant(call: Call, principal: Principal) -> bool:
    if call.organization_id is None:
        return principal.is_own_tenant
    return call.organization_id in principal.organization_ids


def role_in(call: Call, principal: Principal) -> RoomToken.Role | None:
    """The role in which this principal may join; None for all but its two people and a conference's members."""
    if principal.subject == call.owner:
        return Role.CALLER
    if principal.subject == call.callee:
        return Role.CALLEE
    is_member = call.organization_id in principal.organization_ids
    return Role.MEMBER if is_member and call.call_type == CallType.CONFERENCE else None


def name_for(principal: Principal, role: RoomToken.Role, *, requested: str = "") -> str:
    return requested or display_name(principal) or str(FRIENDLY[role])


def others_hold_tokens(call: Call) -> bool:
    """Whether tokens for an earlier call of this room's name still open it to somebody who has no part in this one."""
    issued_since = timezone.now() - dt.timedelta(seconds=JOIN_TOKEN_TTL_S)
    earlier = RoomToken.objects.filter(
        call__room_name=call.room_name, call__created_at__lte=call.created_at, created_at__gt=issued_since
    ).exclude(call=call)
    people = [subject for subject in (call.owner, call.callee) if subject]
    ours = Q(subject__in=people) | Q(role=Role.AGENT, call__owner=call.owner)
    if call.organization_id and call.call_type == CallType.CONFERENCE:
        ours |= Q(call__organization=call.organization_id)
    same_tenant = Q(call__organization=call.organization_id) if call.organization_id else Q(call__organization=None)
    return earlier.exclude(ours & same_tenant).exists() or _others_may_listen(call, issued_since)


def _others_may_listen(call: Call, issued_since: dt.datetime) -> bool:
    """Whether somebody of another organization listened in on an earlier call in a room of this name."""
    earlier = Call.objects.in_rooms().filter(room_name=call.room_name, ended_at__gt=issued_since).exclude(pk=call.pk)
    others = earlier.exclude(organization=None).exclude(organization=call.organization_id)
    listened = CallListening.objects.filter(room_identity__isnull=False, call_number__in=others.values("pk"))
    return listened.filter(Q(ended_at=None) | Q(ended_at__gt=issued_since)).exists()

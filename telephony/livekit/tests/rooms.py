"""Calls that were opened as over the API, and what the database holds of them."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from agents.organizations.models import Organization
from agents.organizations.principal import Kind, Principal
from sessions.calls.models import Call
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.calls import OpenedCall, WantedCall, open_room_call
from sessions.rooms.services.tokens import Role, issue_room_token, ticket_for
from telephony.livekit.reconciliation import OPENED_WITHIN
from telephony.tasks import process_events
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit
from voiceapp.tests.waiting import soon


def principal(organization: Organization) -> Principal:
    organizations = frozenset({organization.pk})
    return Principal("user_alice", organizations, kind=Kind.CLERK, organization_id=organization.pk)


@dataclass(frozen=True, slots=True)
class Room:
    """A call's room, and the people who go in and out."""

    livekit: RunningLiveKit
    opened: OpenedCall

    @property
    def name(self) -> str:
        return str(self.opened.call.room_name)

    @property
    def caller(self) -> str:
        return self.opened.ticket.room_token.identity

    @property
    def call(self) -> Call:
        return Call.objects.get(pk=self.opened.call.pk)

    @property
    def agent(self) -> RoomAgent | None:
        return RoomAgent.objects.filter(call=self.opened.call).first()

    @property
    def timeline(self) -> list[str]:
        """Of each line its kind, and who it is about."""
        return [" ".join(filter(None, (each.kind, each.detail.get("who")))) for each in self.call.events.all()]

    def caller_joins(self) -> dict[str, Any]:
        return self.livekit.join(self.opened.ticket.token)

    def joins(self, role: Role, subject: str = "user_bob") -> str:
        """A participant with a token of this role; the identity."""
        room_token = issue_room_token(self.call, subject=subject, role=role, name="")
        self.livekit.join(ticket_for(room_token, client=LiveKitClient.from_settings()).token)
        return room_token.identity

    def leaves(self, identity: str) -> None:
        self.livekit.leave(self.name, identity)

    def agent_comes(self) -> str:
        """Its identity, once it is in the room."""
        client = LiveKitClient.from_settings()
        return soon(lambda: [each.identity for each in client.list_participants(self.name) if each.is_agent])[0]

    def process_webhooks(self) -> None:
        """Wait until LiveKit has sent all its events, and process them."""
        self.livekit.webhooks()
        process_events()

    def agent_has_gone(self) -> bool:
        self.process_webhooks()
        return self.agent is not None and self.agent.status == RoomAgent.Status.DISCONNECTED


def open_room(livekit: RunningLiveKit, organization: Organization, **wanted: Any) -> Room:
    return Room(livekit, open_room_call(principal(organization), WantedCall(**wanted)))


def a_whole_call(livekit: RunningLiveKit, harbour: Organization) -> Room:
    """All its events arrive before the first is processed."""
    return whole_calls(livekit, harbour, count=1)[0]


def whole_calls(livekit: RunningLiveKit, harbour: Organization, *, count: int, lasting_s: float = 0) -> list[Room]:
    """At the same time; all their events have arrived."""
    rooms = [open_room(livekit, harbour) for _ in range(count)]
    for room in rooms:
        room.agent_comes()
        room.caller_joins()
    time.sleep(lasting_s)
    for room in rooms:
        room.leaves(room.caller)
    livekit.advance(21)
    livekit.webhooks()
    return rooms


def check_whole_call(room: Room) -> None:
    call, agent = room.call, room.agent
    assert (call.state, call.end_reason) == ("completed", "room_closed")
    assert agent
    assert (agent.status, agent.joined_at is None) == ("disconnected", False)
    assert call.participants.count() == 2
    assert not call.participants.filter(left_at=None).exists()
    assert sorted(room.timeline) == sorted([
        "requested", "room_opened", "participant_joined agent", "participant_joined caller", "connected",
        "participant_left caller", "participant_left agent", "room_closed", "ended",
    ])  # fmt: skip


def grow_old(by: dt.timedelta = OPENED_WITHIN) -> None:
    """As if every call had been opened so much earlier."""
    Call.objects.update(created_at=F("created_at") - by)
    RoomAgent.objects.update(created_at=F("created_at") - by)


def state_of(call: Call) -> tuple[str, str]:
    call.refresh_from_db()
    return call.state, call.end_reason

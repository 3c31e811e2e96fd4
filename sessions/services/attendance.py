"""Who is in a call's room, kept as it becomes known: in any order, by LiveKit's `sid` of each presence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.utils import timezone

from sessions.models import Call, CallEvent, Participant, RoomAgent, RoomPass
from sessions.models.call import CallState, CallType
from sessions.presence import Presence, Side, together_since
from sessions.services.room_agents import agent_gone, agent_seen
from voiceapp.providers import livekit_facts

Kind = Participant.Kind

LONGEST_SID = 64
LONGEST_NAME = 255
LEAVING_IS_EXACT_TO = dt.timedelta(seconds=1)
# Said where nobody knows why.
NO_REASON = ("", "unknown_reason")
BY_ROLE: Mapping[str, Side] = {RoomPass.Role.CALLER: Side.CALLER, RoomPass.Role.CALLEE: Side.CALLEE}


class Attendance:
    """Of one call, in the caller's transaction. It is locked: two at once would miss what the other one writes."""

    def __init__(self, call: Call) -> None:
        self.call = Call.objects.select_for_update(of=("self",)).select_related("organization").get(pk=call.pk)
        self._roles = dict(RoomPass.objects.filter(call=call).values_list("identity", "role"))

    def came(self, told: livekit_facts.Participant, *, at: dt.datetime) -> Participant:
        """Keep that they came, unless we know it. A late word of one who has left does not bring them back."""
        row = self._row_of(told)
        if row.joined_at is None:
            row.joined_at = self.within(at)
            if row.left_at is not None:
                row.left_at = max(row.left_at, row.joined_at)
            row.save()
            self._note_of(row, "participant_joined", row.joined_at)
        if row.kind == Kind.AGENT and row.left_at is None and self.call.is_live:
            agent_seen(self.call, identity=row.identity, at=row.joined_at)
        return row

    def went(self, row: Participant, *, at: dt.datetime, why: str = "") -> None:
        """Of several moments the first is right: a look into the room only finds out afterwards."""
        # LiveKit tells of leaving less exactly than of coming.
        at = max(self.within(at), row.joined_at or self.call.created_at)
        if row.left_at is not None and row.left_at <= at:
            return
        is_news, row.left_at = row.left_at is None, at
        row.save()
        if is_news:
            self._note_of(row, "participant_left", at, **({} if why in NO_REASON else {"reason": why}))
            if row.kind == Kind.AGENT and not self._is_agent_still_there(row):
                agent_gone(self.call, identity=row.identity, at=at)

    def left(self, told: livekit_facts.Participant, *, at: dt.datetime) -> None:
        row = self.came(told, at=told.joined_at) if told.joined_at else self._row_of(told)
        self.went(row, at=at, why=told.disconnect_reason)

    def never_came(self, told: livekit_facts.Participant, *, at: dt.datetime) -> None:
        row = self._row_of(told)
        if not row._state.adding:
            self.went(row, at=at, why=told.disconnect_reason)
            return
        row.left_at = self.within(at)
        row.save()
        self._note_of(row, "participant_failed_to_join", row.left_at)

    def connect(self) -> None:
        """Connected since both sides were there, whenever we hear of it. A call that is over stays so."""
        rows = self.call.participants.filter(joined_at__isnull=False)
        presences = [Presence(self._side_of(row), row.joined_at, _surely_until(row)) for row in rows if row.joined_at]
        since = together_since(presences, is_conference=self.call.call_type == CallType.CONFERENCE)
        if since is None:
            return
        waiting = Call.objects.filter(pk=self.call.pk, state__in=(CallState.PENDING, CallState.RINGING))
        if waiting.update(state=CallState.CONNECTED, connected_at=since):
            self.note("connected", since)

    def note(self, kind: str, at: dt.datetime, **detail: str) -> None:
        """A line of the timeline, at its own moment."""
        CallEvent.objects.create(call=self.call, kind=kind, at=at, detail=detail)

    def note_once(self, kind: str, at: dt.datetime, **detail: str) -> None:
        if not self.call.events.filter(kind=kind).exists():
            self.note(kind, at, **detail)

    def within(self, at: dt.datetime) -> dt.datetime:
        """No moment of a call is before it or in the future, whatever LiveKit's clock says."""
        return max(self.call.created_at, min(at, timezone.now()))

    def _note_of(self, row: Participant, kind: str, at: dt.datetime, **detail: str) -> None:
        side = self._side_of(row)
        if side is not Side.MACHINE:
            self.note(kind, at, who=side.value, **detail)

    def _row_of(self, told: livekit_facts.Participant) -> Participant:
        """The row of this presence, not saved yet if it is the first that we hear of it."""
        sid = sid_of(told)
        return self.call.participants.filter(sid=sid).first() or Participant(
            call=self.call,
            sid=sid,
            identity=told.identity[:LONGEST_NAME],
            name=told.name[:LONGEST_NAME],
            kind=self._kind_of(told),
        )

    def _kind_of(self, told: livekit_facts.Participant) -> Kind:
        if told.is_agent or self._roles.get(told.identity) == RoomPass.Role.AGENT:
            return Kind.AGENT
        return Kind.PERSON if told.is_person else Kind.MACHINE

    def _side_of(self, row: Participant) -> Side:
        """What the pass says. People without a pass of this call are others."""
        if row.kind == Kind.PERSON:
            return BY_ROLE.get(self._roles.get(row.identity, ""), Side.OTHER)
        return Side.AGENT if row.kind == Kind.AGENT else Side.MACHINE

    def _is_agent_still_there(self, gone: Participant) -> bool:
        """Under the same identity; or any agent, if the one who left is none that we asked for."""
        there = self.call.participants.filter(kind=Kind.AGENT, joined_at__isnull=False, left_at__isnull=True)
        if RoomAgent.objects.filter(call=self.call, identity=gone.identity).exists():
            there = there.filter(identity=gone.identity)
        return there.exists()


def _surely_until(row: Participant) -> dt.datetime | None:
    """Nobody may have been talked to after leaving because LiveKit gives whole seconds."""
    if row.left_at is None or row.joined_at is None:
        return None
    return max(row.joined_at, row.left_at - LEAVING_IS_EXACT_TO)


def sid_of(told: livekit_facts.Participant) -> str:
    return (told.sid or told.identity)[:LONGEST_SID]

"""Who is in a call's room, kept as it becomes known: in any order, by LiveKit's `sid` of each presence."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from sessions.calls.feeds import announce_calls
from sessions.calls.models import Call, CallEvent, CallState, CallType
from sessions.rooms.models import Participant
from sessions.rooms.presence import Side, together_since
from sessions.rooms.queries import CLOCKS_DIFFER_BY
from voiceapp.providers.livekit import values as livekit_facts

from .agents import agent_gone, agent_seen
from .parties import Parties

Kind = Participant.Kind

LONGEST_SID = 64
LONGEST_NAME = 255
# The reason where LiveKit gives none.
NO_REASON = ("", "unknown_reason")


class Attendance:
    """Of one call, in the caller's transaction. It is locked: two at once would miss what the other one writes."""

    def __init__(self, call: Call) -> None:
        self.call = (
            Call.objects.select_for_update(of=("self",), no_key=True).select_related("organization").get(pk=call.pk)
        )
        self._parties = Parties(self.call)

    def came(self, seen: livekit_facts.Participant, *, at: dt.datetime) -> Participant:
        """Record a participant's joining once. A late report of someone who has left does not bring them back.

        LiveKit's own time of their joining corrects one that was inferred: a track's event has none, and no kind.
        """
        row = self._row_of(seen)
        if self._rings(seen, row):
            row.save()
            return row
        # A phone was there before it was answered.
        joined_at = self.within(at if self._parties.is_phone(seen.identity) else seen.joined_at or at)
        if row.joined_at is None or (seen.joined_at and joined_at < row.joined_at):
            inferred, row.joined_at = row.joined_at, joined_at
            if row.left_at is not None:
                row.left_at = max(row.left_at, row.joined_at)
            row.save()
            self._note_joined(row, inferred)
        self._tell_agents(row)
        return row

    def is_listed(self, seen: livekit_facts.Participant, *, at: dt.datetime) -> None:
        """LiveKit's list of `at` has them: whatever was reported of their leaving long before it was wrong."""
        row = self._row_of(seen)
        if row.left_at is not None and row.left_at < at - CLOCKS_DIFFER_BY:
            self.call.events.filter(kind="participant_left", at=row.left_at, detail__who=self._label(row)).delete()
            row.left_at = None
            row.save()
        self.came(seen, at=at)

    def went(self, row: Participant, *, at: dt.datetime, why: str = "") -> None:
        """Of several times the earliest is right: a listing of the room only finds out afterwards."""
        # LiveKit reports leaving less exactly than joining.
        at = max(self.within(at), row.joined_at or self.call.created_at)
        if row.left_at is not None and row.left_at <= at:
            return
        is_news, row.left_at = row.left_at is None, at
        row.save()
        if is_news:
            self._note_of(row, "participant_left", at, **({} if why in NO_REASON else {"reason": why}))
            self._tell_agents(row)

    def left(self, seen: livekit_facts.Participant, *, at: dt.datetime) -> None:
        row = self.came(seen, at=seen.joined_at) if seen.joined_at else self._row_of(seen)
        if self._rings(seen, row):
            row.left_at = self.within(at)
            row.save()
            self._note_of(row, "participant_failed_to_join", row.left_at, reason=seen.disconnect_reason)
            return
        self.went(row, at=at, why=seen.disconnect_reason)

    def never_came(self, seen: livekit_facts.Participant, *, at: dt.datetime) -> None:
        row = self._row_of(seen)
        if not row._state.adding:
            self.went(row, at=at, why=seen.disconnect_reason)
            return
        row.left_at = self.within(at)
        row.save()
        self._note_of(row, "participant_failed_to_join", row.left_at)

    def connect(self) -> None:
        """Connected since both sides were present, even if the report is late. A call that is over stays so."""
        presences = [self._parties.presence(row) for row in self.call.participants.all()]
        is_conference = self.call.call_type == CallType.CONFERENCE
        since = together_since([each for each in presences if each], is_conference=is_conference)
        if since is None:
            return
        calls = Call.objects.filter(pk=self.call.pk)
        waiting = calls.filter(state__in=(CallState.PENDING, CallState.RINGING))
        if waiting.update(state=CallState.CONNECTED, connected_at=since):
            self.note("connected", since)
            announce_calls(self.call.organization_id, self.call.pk)
        elif calls.filter(state=CallState.CONNECTED, connected_at__gt=since).update(connected_at=since):
            self.call.events.filter(kind="connected", at__gt=since).update(at=since)

    def note(self, kind: str, at: dt.datetime, **detail: str) -> None:
        """An event of the timeline, at its own time."""
        CallEvent.objects.create(call=self.call, kind=kind, at=at, detail=detail)

    def note_once(self, kind: str, at: dt.datetime, **detail: str) -> None:
        if not self.call.events.filter(kind=kind).exists():
            self.note(kind, at, **detail)

    def within(self, at: dt.datetime) -> dt.datetime:
        """No time of a call is before its start or in the future, even if LiveKit's clock is wrong."""
        return max(self.call.created_at, min(at, timezone.now()))

    def _rings(self, seen: livekit_facts.Participant, row: Participant) -> bool:
        """A phone that was not answered yet. LiveKit has it in the room already; most events do not say its state."""
        return self._parties.is_phone(seen.identity) and row.joined_at is None and not seen.is_answered

    def _note_joined(self, row: Participant, inferred: dt.datetime | None) -> None:
        """One line for each who came; it moves to the true time when that becomes known."""
        if inferred is None:
            self._note_of(row, "participant_joined", row.joined_at or inferred)
            return
        lines = self.call.events.filter(kind="participant_joined", at=inferred)
        CallEvent.objects.filter(pk__in=lines.values("pk")[:1]).update(at=row.joined_at)

    def _note_of(self, row: Participant, kind: str, at: dt.datetime | None, **detail: str) -> None:
        who = self._label(row)
        if who != Side.MACHINE and at is not None:
            self.note(kind, at, who=who, **detail)

    def _label(self, row: Participant) -> str:
        others = self.call.participants.exclude(pk=row.pk)
        return self._parties.side_among(row, others).value

    def _row_of(self, seen: livekit_facts.Participant) -> Participant:
        """The row of this presence, not saved yet if this is its first report."""
        sid, kind = sid_of(seen), self._kind_of(seen)
        row = self.call.participants.filter(sid=sid).first()
        if row is None:
            identity, name = seen.identity[:LONGEST_NAME], seen.name[:LONGEST_NAME]
            return Participant(call=self.call, sid=sid, identity=identity, name=name, kind=kind)
        if seen.joined_at and (row.kind, row.name) != (kind, seen.name[:LONGEST_NAME]):
            row.kind, row.name = kind, seen.name[:LONGEST_NAME]
            row.save()
        return row

    def _kind_of(self, seen: livekit_facts.Participant) -> Kind:
        if seen.is_agent or self._parties.is_agent(seen.identity):
            return Kind.AGENT
        return Kind.PERSON if seen.is_person else Kind.MACHINE

    def _tell_agents(self, row: Participant) -> None:
        """The expected agent of this identity is there as long as any presence of it is."""
        if row.kind != Kind.AGENT or self._parties.side(row) is not Side.AGENT:
            return
        came = self.call.participants.filter(kind=Kind.AGENT, identity=row.identity, joined_at__isnull=False)
        present = came.filter(left_at__isnull=True).order_by("joined_at").first()
        if present and present.joined_at and self.call.is_live:
            agent_seen(self.call, identity=row.identity, at=present.joined_at)
        elif not present and row.left_at:
            agent_gone(self.call, identity=row.identity, at=row.left_at)


def sid_of(seen: livekit_facts.Participant) -> str:
    return (seen.sid or seen.identity)[:LONGEST_SID]

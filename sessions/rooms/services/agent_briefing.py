"""What the worker of a room's agent needs to know before it speaks: the agent, whom it talks to, what was said."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Count, Max
from django.utils import timezone

from sessions.calls.briefing import Briefing, Phrases
from sessions.calls.models import Call, CallType, TranscriptLine
from sessions.realtime.services.instructions import default_persona, instructions_of
from sessions.rooms.models import RoomAgent, RoomToken
from sessions.tools.briefing import brief_agent, limited
from voiceapp.core.errors import ApplicationError
from voiceapp.providers.openai.fields import fit_model, fit_voice

from .agents import claim_agent

Status = RoomAgent.Status
GREETING = "Hello, how can I help you?"
LONGEST_PAST = 60


class JobRefused(ApplicationError):
    """The job is for no agent that is expected. The message says why."""


@dataclass(frozen=True, slots=True)
class RoomBriefing:
    """`callers`: the identities with which the caller may join. `past`: lines as (speaker, text), oldest first.

    `turns` and `since_ms`: where the call stands, if another worker carried it before.
    """

    call_id: UUID
    identity: str
    briefing: Briefing
    callers: frozenset[str]
    past: tuple[tuple[str, str], ...] = ()
    turns: int = 0
    since_ms: int = 0
    is_silent: bool = False
    has_others: bool = False


def brief_room_agent(call_id: str, *, identity: str, room: str, job_id: str) -> RoomBriefing:
    """The job takes the agent. Raises JobRefused."""
    agent = _expected_agent(call_id, identity)
    call = agent.call
    if call.room_name != room:
        raise JobRefused("The job is for another room than that of its call.")
    if not claim_agent(identity, job_id=job_id):
        raise JobRefused("Another job has this agent.")
    callers = call.room_tokens.filter(role=RoomToken.Role.CALLER).values_list("identity", flat=True)
    lines = list(call.lines.of_known_speakers().order_by("-spoken_at_ms", "-id")[:LONGEST_PAST])[::-1]
    # Also what was said and is not kept (sessions/calls/services.py).
    spoken = call.lines.exclude(speaker=TranscriptLine.Speaker.UNKNOWN).aggregate(count=Count("pk"), turn=Max("turn"))
    since_ms = round((timezone.now() - (call.connected_at or call.created_at)).total_seconds() * 1000)
    return RoomBriefing(
        call_id=call.pk,
        identity=agent.identity,
        briefing=_briefing(call, agent),
        callers=frozenset(callers),
        past=tuple((line.speaker, line.text) for line in lines),
        turns=spoken["turn"] or 0,
        since_ms=since_ms if spoken["count"] else 0,
        is_silent=agent.is_silent,
        has_others=call.call_type != CallType.SUPPORT,
    )


def caller_identities(call_id: UUID) -> frozenset[str]:
    """Who the caller is in the room; each token has an identity of its own."""
    tokens = RoomToken.objects.filter(call_id=call_id, role=RoomToken.Role.CALLER)
    return frozenset(tokens.values_list("identity", flat=True))


def _expected_agent(call_id: str, identity: str) -> RoomAgent:
    agents = RoomAgent.objects.select_related("call__organization", "call__agent_version", "call__visitor_call")
    try:
        agent = agents.filter(call_id=call_id, identity=identity).first()
    except (ValueError, ValidationError):
        agent = None
    if agent is None:
        raise JobRefused("No agent was requested for this call under this identity.")
    if not agent.call.is_live:
        raise JobRefused("The call is over.")
    if agent.is_withdrawn:
        raise JobRefused("The agent was removed from the call.")
    return agent


def _briefing(call: Call, agent: RoomAgent) -> Briefing:
    """The organization's published agent; prompt and voice of this call alone go before its own."""
    persona, prompt = call.agent_version or default_persona(call.organization_id), agent.system_prompt.strip()
    if persona is None or call.organization is None:
        return Briefing(
            call_id=str(call.pk),
            model=fit_model("")[0],
            voice=fit_voice(agent.voice)[0],
            language="en",
            instructions=prompt or instructions_of(None),
            keywords=(),
            tools=(),
            phrases=Phrases(greeting=GREETING),
            transcription_model=settings.OPENAI_TRANSCRIPTION_MODEL,
        )
    own = copy.copy(persona)
    own.prompt = prompt or persona.prompt
    if agent.voice:
        own.voice = fit_voice(agent.voice)[0]
    is_recorded = call.is_recording_wanted and call.recording_declined_at is None
    recording = own.room_recording if is_recorded else "off"
    briefing = brief_agent(
        own,
        call.organization,
        call_id=str(call.pk),
        now=timezone.now(),
        is_recorded=recording != "off",
        has_keys=False,
    )
    return replace(limited(briefing, call), recording=recording)

"""What a room's agent is to OpenAI Realtime: model, voice, instructions and how it hears that somebody has finished."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sessions.calls.briefing import TurnDetection
from sessions.calls.models import Call
from sessions.calls.services import record_event
from sessions.realtime.services.instructions import default_persona, instructions_of
from sessions.rooms.models import RoomAgent
from sessions.tools.briefing import turn_detection_of
from voiceapp.core.errors import ApplicationError
from voiceapp.core.transactions import release_connections
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.openai.client import openai_api_key
from voiceapp.providers.openai.fields import fit_model, fit_voice

from .agents import agent_of
from .dispatches import NoAgent

Status = RoomAgent.Status


class AgentNotReady(ApplicationError):
    """It was requested and has not joined the room yet."""

    message = "The agent is on its way into the room. Try again soon."


@dataclass(frozen=True, slots=True)
class RealtimeConfiguration:
    """`model` and `voice` as requested, and beside them what OpenAI gets in their place."""

    agent: RoomAgent
    model: str
    model_used: str
    voice: str
    voice_used: str
    instructions: str
    turn_detection: TurnDetection
    server_url: str


def configure_realtime(call: Call, *, model: str) -> RealtimeConfiguration:
    """The configuration of the call's agent, whose model is kept with it.

    Raises NoAgent, AgentNotReady, and OpenAIError or LiveKitError where no key or server of theirs is configured.
    """
    agent = agent_of(call)
    if agent is None or agent.status == Status.DISCONNECTED or not call.is_live:
        raise NoAgent("There is no agent in this room. Request one with POST /api/voice/agent.")
    if agent.status != Status.ACTIVE:
        raise AgentNotReady
    server_url = LiveKitClient.from_settings().browser_url
    persona = call.agent_version or default_persona(call.organization_id)
    instructions = agent.system_prompt.strip() or instructions_of(persona)
    used_model, replaced = fit_model(model)
    used_voice, more = fit_voice(agent.voice)
    for each in (*replaced, *more):
        record_event(call.pk, "field_replaced", asdict(each))
    release_connections()
    openai_api_key()
    RoomAgent.objects.filter(pk=agent.pk).update(model=model)
    return RealtimeConfiguration(
        agent=agent,
        model=model,
        model_used=used_model,
        voice=agent.voice,
        voice_used=used_voice,
        instructions=instructions,
        turn_detection=turn_detection_of(persona) if persona else TurnDetection(),
        server_url=server_url,
    )

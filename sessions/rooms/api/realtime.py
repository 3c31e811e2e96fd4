"""`/api/voice/realtime`: how a room's agent speaks with OpenAI, how it stands, and its end."""

from __future__ import annotations

import structlog
from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from agents.organizations.api import CustomerView
from sessions.calls.briefing import TurnDetection
from sessions.calls.models import Call
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agents import agent_of
from sessions.rooms.services.configuration import AgentNotReady, RealtimeConfiguration, configure_realtime
from sessions.rooms.services.dispatches import NoAgent
from voiceapp.core.api.errors import ApiError, wait_of
from voiceapp.core.api.strict_fields import TextField
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.api.timestamps import iso_z
from voiceapp.core.limits.limit import READ, REALTIME
from voiceapp.providers.livekit.errors import LiveKitError
from voiceapp.providers.openai.client import OpenAIError, OpenAIErrorKind

from .agents import TITLES, take_agent_out
from .room_view import Access, RoomNameField, RoomQuery, checked, find_room_call, livekit_refusal, read_query

log = structlog.get_logger(__name__)

NOT_FOUND = "Call session or agent not found"
# An agent comes within a few seconds, or never.
AGENT_WAIT_S = 2


class RealtimeRequest(StrictSerializer):
    roomName = RoomNameField()
    model = TextField(required=False, max_length=100, help_text="Default: REALTIME_MODEL.")


class RealtimeView(CustomerView):
    scope_area = "calls"
    limits = {"POST": REALTIME, "GET": READ}

    def post(self, request: Request) -> Response:
        asked = checked(RealtimeRequest(data=request.data), titles=TITLES)
        call = self._call(asked["roomName"], Access.WRITE)
        try:
            found = configure_realtime(call, model=asked.get("model", settings.REALTIME_MODEL))
        except NoAgent as exc:
            raise ApiError(404, NOT_FOUND, str(exc)) from exc
        except AgentNotReady as exc:
            raise ApiError(503, "AI agent not ready", str(exc), wait_s=AGENT_WAIT_S) from exc
        except LiveKitError as exc:
            raise livekit_refusal(exc, title="Failed to initialize realtime session") from exc
        except OpenAIError as exc:
            log.warning("realtime_not_configured", kind=exc.kind, error=str(exc))
            raise key_refusal(exc) from exc
        return Response(
            {
                "success": True,
                "roomName": call.room_name,
                "model": found.model,
                "modelUsed": found.model_used,
                "voiceUsed": found.voice_used,
                "agentIdentity": found.agent.identity,
                "configuration": configuration_body(found),
                "livekit": {"serverUrl": found.server_url, "roomName": call.room_name},
            }
        )

    def get(self, request: Request) -> Response:
        call = self._call(read_query(RoomQuery, request, titles=TITLES)["roomName"], Access.READ)
        agent = agent_of(call)
        return Response(
            {
                "success": True,
                "roomName": call.room_name,
                "callStatus": call.state,
                "agentStatus": agent.status if agent else None,
                "agentAvailable": agent is not None and agent.status == RoomAgent.Status.ACTIVE,
                "duration": call.duration_so_far_s,
                "connectedAt": iso_z(call.connected_at),
                "metadata": call.metadata,
            }
        )

    def delete(self, request: Request) -> Response:
        """The agent goes; the call goes on, and may be given another one."""
        call = self._call(read_query(RoomQuery, request, titles=TITLES)["roomName"], Access.WRITE)
        take_agent_out(call, missing=NOT_FOUND)
        return Response({"success": True, "message": "Realtime session ended", "duration": call.duration_so_far_s})

    def _call(self, room_name: str, access: Access) -> Call:
        return find_room_call(self.principal, room_name, access=access, titles={404: NOT_FOUND})


def configuration_body(found: RealtimeConfiguration) -> dict[str, object]:
    """The shape of OpenAI's beta, which the spec shows; OpenAI itself is told the same in its own words of today."""
    return {
        "modalities": ["text", "audio"],
        "instructions": found.instructions,
        "voice": found.voice,
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "input_audio_transcription": {"model": settings.REALTIME_TRANSCRIPTION_MODEL},
        "turn_detection": turn_detection_body(found.turn_detection),
    }


def turn_detection_body(turns: TurnDetection) -> dict[str, object]:
    if turns.kind == "semantic_vad":
        return {"type": "semantic_vad", "eagerness": turns.eagerness}
    return {
        "type": "server_vad",
        "threshold": turns.threshold,
        "prefix_padding_ms": turns.prefix_padding_ms,
        "silence_duration_ms": turns.silence_ms,
    }


def key_refusal(error: OpenAIError) -> ApiError:
    """Without a key of OpenAI's no agent can speak: 503 either way, and worth another try only where it may come."""
    if error.kind is OpenAIErrorKind.NOT_CONFIGURED:
        return ApiError(503, "Voice service not configured", error.public_message)
    return ApiError(503, "Voice service unavailable", error.public_message, wait_s=wait_of(error))

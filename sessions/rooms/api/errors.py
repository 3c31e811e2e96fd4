"""The errors of the rooms' endpoints, and how LiveKit's failures become errors of ours."""

from __future__ import annotations

from dataclasses import replace

from sessions.realtime.api import NOT_CREATED, VOICE_UNAVAILABLE
from sessions.rooms.serializers.rooms import RoomQuery
from sessions.rooms.services.agents import AgentIsThere, StatusRefused
from sessions.rooms.services.calls import EndedMeanwhile, RoomTaken
from sessions.rooms.services.changes import NoAgentInCall, StateRefused
from sessions.rooms.services.configuration import AgentNotReady
from sessions.rooms.services.dispatches import CallIsOver, NoAgent, RoomIsClosed
from sessions.rooms.services.phones import NoTrunk
from voiceapp.core.api.errors import ApiError, Problem, retry_after_of
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind

ROOM_MISSING = RoomQuery.invalid({"roomName": ["This field is required."]})
SESSION_NOT_FOUND = Problem(404, "Session not found", "There is no call in a room of this name.")
NO_CALL_FOR_YOU = replace(SESSION_NOT_FOUND, message="There is no call in a room of this name for you.")
NO_CALL_YET = replace(SESSION_NOT_FOUND, message="There is no call yet that a callee could join.")
ROOM_CLOSED = replace(SESSION_NOT_FOUND, message=RoomIsClosed.message)
CALL_OR_AGENT_NOT_FOUND = replace(SESSION_NOT_FOUND, title="Call session or agent not found")
NO_AGENT_IN_CALL = replace(CALL_OR_AGENT_NOT_FOUND, message=NoAgent.message)
ACCESS_DENIED = Problem(
    403, "Access denied to this session", "This call belongs to somebody else in your organization."
)
CHANGE_DENIED = replace(ACCESS_DENIED, title="Access denied")
NOT_JOINABLE = replace(
    ACCESS_DENIED, message="This call is for two; of an organization's calls, its members join conferences."
)
ROOM_TAKEN = Problem(409, "Active session already exists for this room", RoomTaken.message)
SESSION_ENDED = Problem(409, "Session ended", EndedMeanwhile.message)
NOTHING_TO_UPDATE = Problem(400, "Nothing to update", "Give status, agentStatus or metadata.", malformed=True)
NO_CHANGE_OF_AGENT = replace(NOTHING_TO_UPDATE, message="Give status or silent.")
INVALID_STATE = Problem(400, "Invalid status", str(StateRefused("connected", "ringing")))
INVALID_AGENT_STATUS = Problem(400, "Invalid status", str(StatusRefused("disconnected", "active")))
AGENT_NOT_FOUND = Problem(404, "Agent not found", NoAgentInCall.message)
NO_AGENT = replace(AGENT_NOT_FOUND, message=NoAgent.message)
AGENT_IN_ROOM = Problem(409, "Agent already in this room", AgentIsThere.message)
CALL_NOT_ACTIVE = Problem(400, "Call not active", CallIsOver.message)
AGENT_NOT_READY = Problem(503, "AI agent not ready", AgentNotReady.message)
VOICE_NOT_CONFIGURED = Problem(
    503, "Voice service not configured", "LIVEKIT_HOST, LIVEKIT_API_KEY or LIVEKIT_API_SECRET is missing."
)
PHONES_NOT_CONFIGURED = Problem(503, "Phone calls not configured", NoTrunk.message)
NO_PHONES = "LiveKit cannot call phones: it has no SIP service, or does not know the trunk of LIVEKIT_SIP_TRUNK_ID."
LIVEKIT_UNAVAILABLE = {
    LiveKitErrorKind.UNAVAILABLE: "LiveKit cannot be reached right now. Try again soon.",
    LiveKitErrorKind.TIMEOUT: "LiveKit did not respond in time. Try again soon.",
    LiveKitErrorKind.CREDENTIALS_REFUSED: "LiveKit rejects this server's keys: its operator must check LIVEKIT_API_*.",
}
LIVEKIT_AWAY = replace(VOICE_UNAVAILABLE, message=LIVEKIT_UNAVAILABLE[LiveKitErrorKind.UNAVAILABLE])
VALUE_REFUSED = Problem(400, "Bad Request", "LiveKit cannot take a value of this request.", malformed=True)


def not_done(title: str) -> Problem:
    """500: LiveKit rejected it, for reasons that are not the client's."""
    return Problem(500, title, "LiveKit refused. The reason is in the server's log.")


SESSION_NOT_CREATED = not_done(NOT_CREATED.title)
TOKEN_NOT_CREATED = not_done("Failed to create token")
AGENT_NOT_SPAWNED = not_done("Failed to spawn agent")
AGENT_NOT_REMOVED = not_done("Failed to remove agent")
REALTIME_NOT_STARTED = not_done("Failed to initialize realtime session")


def livekit_problems(failed: Problem) -> tuple[Problem, ...]:
    """For the documentation: every result of `livekit_error`."""
    return (VALUE_REFUSED, failed, VOICE_NOT_CONFIGURED, LIVEKIT_AWAY)


def livekit_error(error: LiveKitError, *, failed: Problem) -> ApiError:
    """LiveKit's failures by the spec's numbers."""
    if error.kind is LiveKitErrorKind.NOT_CONFIGURED:
        return VOICE_NOT_CONFIGURED.error()
    if error.kind is LiveKitErrorKind.NO_PHONES:
        return PHONES_NOT_CONFIGURED.error(NO_PHONES)
    if error.kind in LIVEKIT_UNAVAILABLE:
        return LIVEKIT_AWAY.error(LIVEKIT_UNAVAILABLE[error.kind], retry_after_s=retry_after_of(error))
    if error.kind is LiveKitErrorKind.BAD_INPUT:
        return VALUE_REFUSED.error()
    return failed.error()

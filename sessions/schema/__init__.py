"""What the API's documentation tells of calls and sessions; imported by whoever makes the document."""

from sessions.schema import calls, internal, realtime, realtime_session, room_agents, tokens, voice_session  # noqa: F401

"""Why a call ended: one closed set, for every kind of call. Plain values: no Django."""

from __future__ import annotations

import enum


class EndReason(enum.StrEnum):
    """One reason per call, written once with the terminal state."""

    CALLER_HUNG_UP = "caller_hung_up"
    AGENT_HUNG_UP = "agent_hung_up"
    TRANSFERRED = "transferred"
    NOBODY_THERE = "nobody_there"
    CALLER_SILENT = "caller_silent"
    TOO_LONG = "too_long"
    BUDGET_USED = "budget_used"
    PROVIDER_FAILED = "provider_failed"
    PROVIDER_REFUSED = "provider_refused"
    STREAM_LOST = "stream_lost"
    HUNG_UP_BY_OPERATOR = "hung_up_by_operator"
    SERVER_STOPPING = "server_stopping"
    CLOSED_HOURS = "closed_hours"
    AGENT_PAUSED = "agent_paused"
    AGENT_NOT_PUBLISHED = "agent_not_published"
    NO_AGENT = "no_agent"
    NUMBER_SWITCHED_OFF = "number_switched_off"
    LINE_FULL = "line_full"
    UNKNOWN_NUMBER = "unknown_number"
    LOST_PROCESS = "lost_process"
    NOT_ANSWERED = "not_answered"
    ENDED_BY_REQUEST = "ended_by_request"
    ROOM_CLOSED = "room_closed"
    AGENT_NOT_DISPATCHED = "agent_not_dispatched"
    AGENT_NEVER_JOINED = "agent_never_joined"
    AGENT_LOST = "agent_lost"
    PHONE_NOT_REACHED = "phone_not_reached"
    ROOM_NOT_OPENED = "room_not_opened"
    FAILED_BY_REQUEST = "failed_by_request"
    PAGE_CHANGED_SESSION = "page_changed_session"
    BROWSER_NEVER_JOINED = "browser_never_joined"

    @property
    def label(self) -> str:
        """What people read in lists and filters."""
        return LABELS.get(self, self.replace("_", " ").capitalize())


LABELS = {
    EndReason.NOBODY_THERE: "Nobody took the call",
    EndReason.CALLER_SILENT: "Caller was silent",
    EndReason.TOO_LONG: "Maximum duration reached",
    EndReason.BUDGET_USED: "Maximum cost reached",
    EndReason.PROVIDER_FAILED: "AI provider failed",
    EndReason.PROVIDER_REFUSED: "AI provider refused the call",
    EndReason.STREAM_LOST: "Audio connection lost",
    EndReason.CLOSED_HOURS: "Outside opening hours",
    EndReason.NO_AGENT: "No default agent",
    EndReason.NUMBER_SWITCHED_OFF: "Phone number inactive",
    EndReason.LINE_FULL: "Too many calls",
    EndReason.UNKNOWN_NUMBER: "Unknown phone number",
    EndReason.LOST_PROCESS: "Server process lost",
    EndReason.ENDED_BY_REQUEST: "Ended over the API",
    EndReason.AGENT_NOT_DISPATCHED: "Agent could not be dispatched",
    EndReason.AGENT_NEVER_JOINED: "No agent joined",
    EndReason.AGENT_LOST: "Agent lost",
    EndReason.PHONE_NOT_REACHED: "Phone could not be called",
    EndReason.ROOM_NOT_OPENED: "Room could not be opened",
    EndReason.FAILED_BY_REQUEST: "Marked as failed over the API",
    EndReason.PAGE_CHANGED_SESSION: "Page changed the agent",
    EndReason.BROWSER_NEVER_JOINED: "Browser did not connect",
}

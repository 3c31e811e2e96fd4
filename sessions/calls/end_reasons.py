"""Why a call ended: one closed set, for every kind of call. Plain values: no Django."""

from __future__ import annotations

import enum


class EndReason(enum.StrEnum):
    """One reason per call, written once by whoever closes it."""

    CALLER_HUNG_UP = "caller_hung_up"
    AGENT_HUNG_UP = "agent_hung_up"
    TRANSFERRED = "transferred"
    CALLER_SILENT = "caller_silent"
    TOO_LONG = "too_long"
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
    ROOM_NOT_OPENED = "room_not_opened"
    FAILED_BY_REQUEST = "failed_by_request"

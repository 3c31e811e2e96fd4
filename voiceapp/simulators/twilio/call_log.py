"""The log of a call. Times are milliseconds on the line's clock, which starts with the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from voiceapp.simulators.twilio.playout import ClippedEnd, Underrun


@dataclass(frozen=True, slots=True)
class Event:
    at_ms: int
    what: str
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """An error or warning with Twilio's code, as its debugger shows them."""

    at_ms: int
    code: int
    message: str


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """Status 0: there was no response."""

    at_ms: int
    url: str
    status: int
    took_ms: int


@dataclass(slots=True)
class StreamLog:
    """One media stream. `largest_burst_ms` is the longest audio that was ever queued."""

    sid: str
    url: str
    began_ms: int | None = None
    ended_ms: int | None = None
    closed_by: str = ""  # application, caller, handshake; empty while it is open
    close_code: int | None = None
    close_reason: str = ""
    frames_sent: int = 0
    frames_dropped: int = 0
    media_received: int = 0
    audio_received_ms: int = 0
    largest_burst_ms: int = 0
    marks_received: int = 0
    marks_echoed: int = 0
    clears_received: int = 0
    invalid_received: int = 0
    underruns: list[Underrun] = field(default_factory=list)
    clipped_ends: list[ClippedEnd] = field(default_factory=list)


class CallLog:
    """`now_ms` is the line's clock."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self.events: list[Event] = []
        self.notices: list[Notice] = []
        self.requests: list[WebhookRequest] = []
        self.first_responses: list[str] = []
        self.streams: list[StreamLog] = []
        self.recordings: list[str] = []

    def event(self, what: str, **details: object) -> None:
        self.events.append(Event(self._now_ms(), what, details))

    def notice(self, code: int, message: str) -> None:
        self.notices.append(Notice(self._now_ms(), code, message))
        self.event("notice", code=code, message=message)

"""What can happen on either side of a call, in the terms of no carrier and no provider.

All `_ms` are on the stream's clock. All ids are ours and unique in the call, whatever the provider repeats.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from sessions.calls.end_reasons import EndReason

from .agent_item import AgentItem


class Purpose(enum.StrEnum):
    """Why the agent is to speak."""

    ANSWER = "answer"  # the model's own text; the others have a given text
    GREETING = "greeting"
    REPROMPT = "reprompt"
    FILLER = "filler"
    GOODBYE = "goodbye"
    MISSED = "missed"


class Outcome(enum.StrEnum):
    """UNANSWERED: it ended without an error, and the caller has no answer or a tool call was lost."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNANSWERED = "unanswered"


class ErrorClass(enum.StrEnum):
    """What to do about a response that failed (retries.py)."""

    WAIT = "wait"
    AGAIN = "again"
    GIVE_UP = "give up"
    OUR_BUG = "our bug"


@dataclass(frozen=True, slots=True)
class AgentReady:
    """The session is configured. A new one knows nothing yet."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    item_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """`at_ms` is when the caller really fell silent, not when that was noticed."""

    item_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class TurnCommitted:
    item_id: str


@dataclass(frozen=True, slots=True)
class CallerTranscribed:
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class CallerHeard:
    """More of what the caller says, as it is understood so far; the whole text follows. `is_all`: no more, but all."""

    item_id: str
    text: str
    is_all: bool = False


@dataclass(frozen=True, slots=True)
class AgentAudio:
    """Base64 µ-law. The usual frame is handed to `Conversation.agent_audio` without one of these."""

    item: AgentItem
    payload: str


@dataclass(frozen=True, slots=True)
class AudioCompleted:
    item: AgentItem


@dataclass(frozen=True, slots=True)
class AgentText:
    """More of what the agent says; `is_whole`: all of it."""

    item_id: str
    text: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class ResponseBegan:
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class ResponseRefused:
    """The provider is making another one: ours waits for its end."""

    code: str


@dataclass(frozen=True, slots=True)
class ResponseEnded:
    """`say` and `purpose` are those of its request; one without an answer has a code, and may name a wait.

    `is_audible`: something of it can be heard. `is_followed`: it called tools, so that another response comes anyway.
    """

    purpose: Purpose
    say: str
    outcome: Outcome
    code: str = ""
    error: ErrorClass = ErrorClass.AGAIN
    wait_ms: int | None = None
    is_audible: bool = False
    is_followed: bool = False


@dataclass(frozen=True, slots=True)
class ToolRequested:
    request_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolLost:
    """A tool call was begun and will never be whole. It is not run."""

    name: str


@dataclass(frozen=True, slots=True)
class UsageSeen:
    source: str
    usage: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Complaint:
    """A message of the provider that changes nothing but the timeline."""

    kind: str
    code: str


@dataclass(frozen=True, slots=True)
class LinkUnusable:
    """The session cannot continue. Fatal: a new one would fail too."""

    reason: str
    is_fatal: bool
    wait_ms: int | None = None


@dataclass(frozen=True, slots=True)
class AgentLeft:
    """The provider has ended the conversation as its agent or its rules wished. `code` is its own word for that."""

    reason: EndReason
    code: str


@dataclass(frozen=True, slots=True)
class CostSeen:
    """What one session cost in all, by the provider's own account. `source` names the session."""

    source: str
    usd: float


@dataclass(frozen=True, slots=True)
class PlayedByProvider:
    """A mark of RemotePlayout: the caller hears a response of a provider that plays it itself, or no longer does."""

    mark: str


@dataclass(frozen=True, slots=True)
class SessionChangedByPage:
    """The caller's own page changed what the agent is or knows, and it was put back. `is_last`: no more of that."""

    what: str
    is_last: bool


AgentEvent = (
    AgentReady
    | SpeechStarted
    | SpeechStopped
    | TurnCommitted
    | CallerTranscribed
    | CallerHeard
    | AgentAudio
    | AudioCompleted
    | AgentText
    | ResponseBegan
    | ResponseRefused
    | ResponseEnded
    | ToolRequested
    | ToolLost
    | UsageSeen
    | Complaint
    | LinkUnusable
    | AgentLeft
    | CostSeen
    | PlayedByProvider
    | SessionChangedByPage
)


@dataclass(frozen=True, slots=True)
class MarkEchoed:
    """The carrier has played, or cleared, everything before this mark. `at_ms`: when, if it is reported only now."""

    name: str
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key of the phone: 0-9, *, #, A-D."""

    digit: str


@dataclass(frozen=True, slots=True)
class TextTyped:
    """The caller writes instead of speaking."""

    text: str


@dataclass(frozen=True, slots=True)
class AgentSilenced:
    """The caller pressed the button that interrupts the agent."""


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The carrier starts the stream once more, which it may do only once."""


@dataclass(frozen=True, slots=True)
class StreamStopped:
    """The carrier ends the stream: the caller hung up."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A frame without meaning for the call."""


CallerEvent = MarkEchoed | KeyPressed | TextTyped | AgentSilenced | StreamStarted | StreamStopped | Ignored

"""What the bridge reports of a live call. Plain values: no Django. All `_ms` are on the stream's clock: ms since the
media stream began."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

# What happened when a browser's page had connected to the AI provider, as it says.
BROWSER_JOINED = "browser_joined"


class Speaker(enum.StrEnum):
    CALLER = "caller"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class LineSpoken:
    """A transcript line, or its newer text: `item_id` names it. Lines are read in the order of `spoken_at_ms`."""

    item_id: str
    speaker: Speaker
    text: str
    spoken_at_ms: int
    turn: int
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class TurnAnswered:
    """The response time of one turn and its parts; a part that could not be measured is None.

    response = end of the caller's speech → first mark echoed after it; detection = end of speech → the provider's word
    that it ended; model = that word → first audio; playout = first audio sent → its mark echoed.
    """

    number: int
    speech_ended_ms: int
    response_ms: int
    detection_ms: int | None
    model_ms: int | None
    playout_ms: int | None


@dataclass(frozen=True, slots=True)
class TurnInterrupted:
    """The caller spoke over the agent, who had been heard for `heard_ms` of what it was saying."""

    number: int
    at_ms: int
    heard_ms: int


@dataclass(frozen=True, slots=True)
class UsageReported:
    """Tokens of one response or one transcription, in OpenAI's shape (protocols: response.done `usage`)."""

    source: str
    model: str
    usage: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CostReported:
    """What one session cost in all, in US dollars, by the provider's own account. A later report replaces it.

    `source` names the session: provider and id.
    """

    source: str
    usd: float


@dataclass(frozen=True, slots=True)
class SomethingHappened:
    """A line of the call's timeline. `kind` is a short snake_case word; `detail` holds no speech of the caller."""

    kind: str
    at_ms: int
    detail: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)


Fact = LineSpoken | TurnAnswered | TurnInterrupted | UsageReported | CostReported | SomethingHappened

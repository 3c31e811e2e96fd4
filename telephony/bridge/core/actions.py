"""The actions that a phone call requests from its shell, and its timeline."""

from __future__ import annotations

from dataclasses import dataclass

from sessions.calls.briefing import CallLimits
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import Fact, LineSpoken, SomethingHappened

from .stream_clock import StreamClock


@dataclass(frozen=True, slots=True)
class HangUp:
    """The call ends when the media socket is closed."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Transfer the caller to a configured target."""

    target_id: str


@dataclass(frozen=True, slots=True)
class FallBack:
    """The agent is gone: apologize, then transfer or take a message."""


FollowUp = HangUp | HandOver | FallBack


@dataclass(frozen=True, slots=True)
class OpenLink:
    """Connect to the provider; answer with `link_opened` or `link_lost`."""


@dataclass(frozen=True, slots=True)
class CloseLink:
    """Drop the provider's socket. Nothing more is reported about that link, not even that it closed."""


@dataclass(frozen=True, slots=True)
class FailOver:
    """Let the other provider play the agent (`PhoneCall.change_agent`): the first one does not answer."""

    why: str


@dataclass(frozen=True, slots=True)
class RunTool:
    """Run a tool in a task of its own; answer with `tool_finished`. `arguments` is the model's JSON, unread.

    `tool_call_id` is ours and unique in the call. Once `commits_within_ms` are over, it may change nothing any more.
    """

    tool_call_id: str
    name: str
    arguments: str
    caller_turns: int
    commits_within_ms: int = CallLimits().tool_commits_within_ms


@dataclass(frozen=True, slots=True)
class Record:
    """Keep a fact of the call."""

    fact: Fact


@dataclass(frozen=True, slots=True)
class DeclineRecording:
    """The caller pressed the key for it: stop the recording and delete it; answer with `note`."""


@dataclass(frozen=True, slots=True)
class Show:
    """A line of the transcript while it grows, for a page that shows captions. It is not kept."""

    line: LineSpoken


@dataclass(frozen=True, slots=True)
class CloseCall:
    """The last action of every call: write what follows, then close both sockets."""

    reason: EndReason
    follow_up: FollowUp


Action = OpenLink | CloseLink | FailOver | RunTool | Record | Show | DeclineRecording | CloseCall


@dataclass(frozen=True, slots=True)
class LinkLoss:
    """Why the provider's socket is gone. Fatal: trying again would not help (a refused key, an unknown model).

    `wait_ms`: the provider names how long to wait before the next try.
    """

    code: int | None
    reason: str
    is_fatal: bool = False
    wait_ms: int | None = None


class Timeline:
    """The shell empties `actions`."""

    __slots__ = (
        "_clock",
        "actions",
    )

    def __init__(self, clock: StreamClock) -> None:
        self._clock = clock
        self.actions: list[Action] = []

    def act(self, action: Action) -> None:
        self.actions.append(action)

    def record(self, fact: Fact) -> None:
        self.actions.append(Record(fact))

    def happened(self, kind: str, **detail: str | int | None) -> None:
        """A line of the call's timeline. Never the caller's speech."""
        self.record(SomethingHappened(kind, self._clock.now_ms, detail))

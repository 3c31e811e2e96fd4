"""What the neutral core needs of its two sides. A codec and a dialect satisfy these; so do a test's lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from .agent_item import AgentItem
from .events import AgentEvent, Purpose
from .transcript import Past


class CallerLine(Protocol):
    """The wire to the caller's phone. `payload` is base64 of µ-law at 8 kHz."""

    def play(self, payload: str) -> None: ...

    def mark(self, name: str) -> None: ...

    def clear(self) -> None: ...


class AgentLine(Protocol):
    """The dialect of whoever plays the agent."""

    @property
    def is_ready(self) -> bool:
        """The session is configured: it may be spoken to."""

    @property
    def is_due(self) -> bool:
        """A response is wanted, asked for, or being made."""

    @property
    def expects_own_answer(self) -> bool:
        """The provider should answer a turn by itself, and has not begun."""

    @property
    def has_response(self) -> bool:
        """A response was asked for and has not ended."""

    @property
    def is_spoken(self) -> bool:
        """There is sound of the response being made, and all that it began has come to its end."""

    @property
    def awaits_truncation(self) -> bool:
        """A truncation has no receipt yet."""

    @property
    def awaits_update(self) -> bool:
        """A changed session has no receipt yet."""

    def respond(self, purpose: Purpose, say: str = "", *, in_other_words: bool = False) -> None:
        """Let the agent speak as soon as it may: these very words (or their meaning), or its own answer."""

    def forget(self, *purposes: Purpose) -> None:
        """Ask no more for what has not been asked yet."""

    def stop_talking(self, *, server_stops_itself: bool) -> None:
        """Drop what is still to come of the response being made."""

    def truncate(self, item: AgentItem, heard_ms: int) -> None:
        """Let the agent remember of this item only what was heard."""

    def caller_typed(self, text: str) -> None:
        """Add a message of the caller's that was not spoken."""

    def answer_tool(self, request_id: str, output: str, *, is_farewell: bool) -> None:
        """Give a tool's output; a farewell already spoken needs no response after it."""

    def answer_overdue(self) -> None:
        """The provider should have answered by itself and did not: ask."""

    def end_turn(self, *, is_answered: bool) -> None:
        """The provider does not notice that the caller fell silent: make a turn of what was heard."""

    def give_up_response(self) -> list[AgentEvent]:
        """The response that was asked for, or is being made, says nothing more. Returns what that means."""

    def truncation_overdue(self) -> None:
        """Wait for no receipt any more."""

    def update_overdue(self) -> bool:
        """Send the session's change once more. Returns False when that was done before: then rely on it no more."""

    def replay(self, past: Sequence[Past]) -> None:
        """Tell a new session what was said before it began."""

    def let_caller_in(self) -> None:
        """The conversation begins: ask for what is wanted, then send the caller's audio that waited."""

    def release_greeting(self) -> None:
        """The protected greeting was heard: from now on speech interrupts and is answered."""

    def link_closed(self) -> None:
        """The socket is gone, with the session and all that was asked of it."""


NOT_JSON = (msgspec.MsgspecError, UnicodeError, RecursionError)

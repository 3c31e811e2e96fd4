"""The ports of the neutral core: a codec for each carrier and a dialect for each AI provider implement them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from .actions import LinkLoss
from .agent_item import AgentItem, Cut
from .events import AgentEvent, CallerEvent, Purpose
from .transcript import Past

# What reading hostile text as JSON can raise: malformed or mistyped, not UTF-8, nested without end.
NOT_JSON = (msgspec.MsgspecError, UnicodeError, RecursionError)

# Base64 of µ-law at 8 kHz, its size in bytes, and its time in the stream in ms, None where the frame names none.
CallerAudio = tuple[str, int, int | None]


class BadFrame(ValueError):
    """What the other side sent is no frame of its protocol."""


class CallerLine(Protocol):
    """What playout needs of a carrier."""

    def play(self, payload: str) -> None:
        """Send base64 of µ-law at 8 kHz to the caller."""

    def mark(self, name: str) -> None:
        """Request an echo once everything before has been played."""

    def clear(self) -> None:
        """Drop what the carrier has not played yet."""


class CallerCodec(CallerLine, Protocol):
    """A carrier's frames, read and written. `frames` is one list, which the shell sends in order and empties."""

    frames: list[str]

    def read(self, text: str) -> CallerAudio | CallerEvent:
        """A text frame after the stream's start. The payload is safe inside a JSON string. Raises BadFrame."""

    def ends_stream(self, text: str) -> bool:
        """Whether the frame ends the stream in the regular way."""


class Ledger(Protocol):
    """What the caller has heard of the agent: Playout, or RemotePlayout where the provider itself plays."""

    @property
    def is_idle(self) -> bool:
        """Everything that came has been heard."""

    @property
    def confirmed_bytes(self) -> int:
        """The position up to which all has surely been heard."""

    @property
    def received_bytes(self) -> int:
        """The position at which audio added now would end up."""

    @property
    def outstanding_ms(self) -> int: ...

    def played_at_ms(self, position: int) -> int | None:
        """When the caller heard this, a little before what is confirmed; None where nobody says so to the ms."""

    def add(self, item: AgentItem, payload: str) -> None: ...

    def complete(self, item: AgentItem) -> None: ...

    def play_whole(self, item: AgentItem, audio: bytes) -> None: ...

    def interject(self, payload: str) -> bool:
        """Play audio of our own, which the provider does not learn of. Returns whether it can be played."""

    def finish(self) -> None: ...

    def echoed(self, name: str) -> bool: ...

    def tick(self) -> bool: ...

    def interrupt(self) -> list[Cut]: ...

    def abandon(self) -> list[Cut]: ...


class AgentDialect(Protocol):
    """An AI provider's frames, read and written: all that the core knows of the provider."""

    frames: list[str]  # what is to be sent, in order: one list, which the shell empties

    def hear(self, payload: str, size_bytes: int, /) -> None:
        """The caller's audio, base64 of µ-law at 8 kHz, padded where the stream had gaps."""

    def receive(self, text: str) -> tuple[AgentItem, str] | list[AgentEvent] | None:
        """One frame: audio of an item that plays (the hot path), None for audio that is not wanted any more, or events.

        Raises BadFrame, or another ValueError for audio that is not base64.
        """

    def is_about_response(self, text: str) -> bool:
        """Whether the frame belongs to a response, known or not: a response that still sends is not stuck."""

    def is_fatal(self, loss: LinkLoss) -> bool:
        """Whether the reason with which the socket was closed says that another would be closed too."""

    def wait_ms(self, loss: LinkLoss) -> int | None:
        """The wait that the reason with which the socket was closed names."""

    @property
    def is_ready(self) -> bool:
        """The session is configured: it may be spoken to."""

    @property
    def is_due(self) -> bool:
        """A response is wanted, requested, or being made."""

    @property
    def expects_own_answer(self) -> bool:
        """The provider should answer a turn by itself, and has not begun."""

    @property
    def has_response(self) -> bool:
        """A response was requested and has not ended."""

    @property
    def is_spoken(self) -> bool:
        """There is sound of the response being made, and all that it began has come to its end."""

    @property
    def awaits_truncation(self) -> bool:
        """A truncation is not confirmed yet."""

    @property
    def awaits_update(self) -> bool:
        """A session update is not confirmed yet."""

    def respond(self, purpose: Purpose, say: str = "", *, in_other_words: bool = False) -> None:
        """Let the agent speak as soon as it may: these very words (or their meaning), or its own answer."""

    def forget(self, *purposes: Purpose) -> None:
        """Drop responses that are wanted and not requested yet."""

    def stop_talking(self, *, server_stops_itself: bool) -> None:
        """Drop what is still to come of the response being made."""

    def truncate(self, item: AgentItem, heard_ms: int, heard_text: str) -> None:
        """Let the agent remember of this item only what was heard, whether this session spoke it or had it replayed."""

    def caller_typed(self, text: str) -> None:
        """Add a message of the caller's that was not spoken."""

    def hint(self, text: str) -> None:
        """Add what the agent knows from elsewhere, without a response. Only while `is_ready`."""

    def answer_tool(self, request_id: str, output: str, *, is_farewell: bool) -> None:
        """Give a tool's output; a farewell already spoken needs no response after it."""

    def answer_overdue(self) -> None:
        """The provider should have answered by itself and did not: request a response."""

    def end_turn(self, *, is_answered: bool) -> None:
        """The provider does not notice that the caller fell silent: make a turn of what was heard."""

    def give_up_response(self) -> list[AgentEvent]:
        """The requested or current response sends nothing more. Returns the events that follow."""

    def truncation_overdue(self) -> None:
        """Stop waiting for the confirmation of a truncation."""

    def update_overdue(self) -> bool:
        """Send the session update once more. Returns False when it was repeated before."""

    def replay(self, past: Sequence[Past]) -> None:
        """Give a new session the conversation so far, which may begin with a greeting that no session spoke."""

    def let_caller_in(self) -> None:
        """The conversation begins: request the wanted response, then send the caller's buffered audio."""

    def release_greeting(self) -> None:
        """The protected greeting was heard: from now on speech interrupts and is answered."""

    def link_closed(self) -> None:
        """The socket is closed; the session and all of its requests are lost."""

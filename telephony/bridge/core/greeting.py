"""The greeting: played at once where it is kept, and protected where the agent wishes so."""

from __future__ import annotations

from .agent_item import AgentItem, quiet_bytes
from .events import Purpose
from .line_starts import LineStarts
from .ports import AgentDialect, Ledger
from .transcript import Transcript

# No session of the provider's spoke it.
_NO_SESSION = -1


def play_kept_greeting(audio: bytes, text: str, *, playout: Ledger, transcript: Transcript, starts: LineStarts) -> None:
    """Let the agent greet before it has a session: an item and a line of the transcript like any other."""
    item = AgentItem("greeting", session=_NO_SESSION)
    item.has_begun = True
    starts.came(item.line_id, quiet_bytes=quiet_bytes(audio), turn=0)
    transcript.agent_said(item.line_id, text, is_whole=True)
    playout.play_whole(item, audio)


class GreetingGuard:
    """While it is on, speech does not interrupt; the agent answers it after the greeting."""

    __slots__ = (
        "_agent",
        "_turns",
        "is_on",
    )

    def __init__(self, agent: AgentDialect, *, is_on: bool) -> None:
        self._agent = agent
        self._turns = 0
        self.is_on = is_on

    def change_agent(self, agent: AgentDialect) -> None:
        self._agent = agent

    def turn_taken(self) -> None:
        self._turns += self.is_on

    def release(self, *, caller_is_speaking: bool) -> None:
        """The greeting was heard. A caller who is still speaking is answered when he has finished."""
        self.is_on = False
        self._agent.release_greeting()
        if self._turns and not caller_is_speaking:
            self._agent.respond(Purpose.ANSWER)

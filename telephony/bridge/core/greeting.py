"""A protected greeting: speech over it does not interrupt; the agent answers it after the greeting."""

from __future__ import annotations

from .events import Purpose
from .ports import AgentDialect


class GreetingGuard:
    def __init__(self, agent: AgentDialect, *, is_on: bool) -> None:
        self._agent = agent
        self._turns = 0
        self.is_on = is_on

    def turn_taken(self) -> None:
        self._turns += self.is_on

    def release(self, *, caller_is_speaking: bool) -> None:
        """The greeting was heard. A caller who is still speaking is answered when he has finished."""
        self.is_on = False
        self._agent.release_greeting()
        if self._turns and not caller_is_speaking:
            self._agent.respond(Purpose.ANSWER)

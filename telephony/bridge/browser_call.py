"""One call of a browser that talks to the AI provider itself, as the shell sees it: events of its side channel in,
events and actions out. No audio passes. It never raises.
"""

from __future__ import annotations

from dataclasses import replace

from sessions.calls.briefing import Briefing
from sessions.calls.end_reasons import EndReason
from telephony.bridge.agent_side import AgentSide, MakeDialect
from telephony.bridge.core.actions import HangUp
from telephony.bridge.core.remote_playout import RemotePlayout
from telephony.bridge.core.stream_clock import StreamClock


class BrowserCall(AgentSide):
    """Its agent greets by itself: the page cannot play a kept greeting before it is connected."""

    def __init__(self, briefing: Briefing, *, make_dialect: MakeDialect) -> None:
        clock = StreamClock()
        briefing = replace(briefing, greeting_audio=b"")
        super().__init__(briefing, clock=clock, playout=RemotePlayout(clock), make_dialect=make_dialect)

    def caller_gone(self) -> None:
        """The provider says that the browser has left the call."""
        self._conversation.close(EndReason.CALLER_HUNG_UP, HangUp())

    def time_passed(self, now_ms: int) -> None:
        conversation = self._conversation
        if conversation.is_over:
            return
        self._clock.tick(now_ms)
        if conversation.is_caller_speaking:
            conversation.caller_loud_ms = now_ms  # how loud it is, only the provider hears
        conversation.time_passed(now_ms)

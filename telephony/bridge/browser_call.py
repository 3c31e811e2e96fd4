"""One call of a browser that talks to the AI provider itself, as the shell sees it: events of its side channel in,
events and actions out. No audio passes. It never raises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sessions.calls.briefing import Briefing
from sessions.calls.end_reasons import EndReason
from telephony.bridge.agent_side import AgentSide
from telephony.bridge.core.actions import FallBack, HangUp, LinkLoss
from telephony.bridge.core.remote_playout import RemotePlayout
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.openai.side_channel import SideChannelDialect

# A page that says nothing hears the agent by then, or not at all.
GREET_AFTER_MS = 3_000
JOIN_WITHIN_MS = 20_000
# A call that has just been answered may not be known yet where side channels are opened.
FIND_WITHIN_MS = 3_000
FIND_AGAIN_MS = 400
# Less than the longest session: a new one cannot take its place, for the browser is in this one.
LONGEST_CALL_MS = 55 * 60_000

# On the timeline: the page is connected to the provider, as it says.
BROWSER_JOINED = "browser_joined"

NORMAL = 1000
NOT_FOUND = 404


class BrowserCall(AgentSide):
    """Its agent greets by itself: the page cannot play a kept greeting before it is connected."""

    def __init__(
        self,
        briefing: Briefing,
        *,
        make_dialect: Callable[[StreamClock], SideChannelDialect],
        waits_for_page: bool = False,
    ) -> None:
        """`waits_for_page`: the agent is silent until `joined`, or until the page must be there."""
        clock = StreamClock()
        self._agent = agent = make_dialect(clock)
        self._has_joined = not waits_for_page
        self._has_begun = not waits_for_page
        self._has_said_so = False
        if waits_for_page:
            agent.wait_for_page()
        self.has_left = False
        self._was_linked = False
        super().__init__(
            _without_audio(briefing), clock=clock, playout=RemotePlayout(clock), make_dialect=lambda _: agent
        )

    def link_opened(self, was_idle: bool = False) -> None:
        super().link_opened(was_idle)
        self._agent.link_opened()

    def link_lost(self, loss: LinkLoss) -> None:
        """The provider closes the side channel of a call that is over, and has none of it afterwards."""
        self._was_linked |= self._agent.is_ready
        if loss.code == NORMAL:
            self.caller_gone()
        elif loss.code == NOT_FOUND and self._was_linked:
            self.has_left = True
            self._conversation.close(EndReason.PROVIDER_FAILED, FallBack())
        elif loss.code == NOT_FOUND and self._conversation.now_ms < FIND_WITHIN_MS:
            super().link_lost(replace(loss, is_fatal=False, wait_ms=FIND_AGAIN_MS))
        else:
            super().link_lost(loss)

    def joined(self) -> None:
        """The page is connected, as it says."""
        if not self._has_said_so and not self._conversation.is_over:
            self._has_said_so = True
            self._timeline.happened(BROWSER_JOINED)
        self._has_joined = True
        self._begin()

    def caller_gone(self) -> None:
        """The provider says that the browser has left the call."""
        self.has_left = True
        self._conversation.close(EndReason.CALLER_HUNG_UP, HangUp())

    def time_passed(self, now_ms: int) -> None:
        conversation = self._conversation
        if conversation.is_over:
            return
        self._clock.tick(now_ms)
        if conversation.is_caller_speaking:
            conversation.caller_loud_ms = now_ms  # how loud it is, only the provider hears
            self._has_joined = True
        if now_ms >= GREET_AFTER_MS:
            self._begin()
        if now_ms >= JOIN_WITHIN_MS and not self._has_joined:
            conversation.close(EndReason.BROWSER_NEVER_JOINED, HangUp())
        else:
            conversation.time_passed(now_ms)

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._agent.begin()


def _without_audio(briefing: Briefing) -> Briefing:
    limits = briefing.limits
    longest_ms = min(limits.longest_call_ms, LONGEST_CALL_MS)
    limits = replace(limits, longest_call_ms=longest_ms, roll_over_after_ms=2 * LONGEST_CALL_MS)
    return replace(briefing, greeting_audio=b"", limits=limits)

"""One call of a browser that talks to the AI provider itself, as the shell sees it: events of its side channel in,
events and actions out. No audio passes. It never raises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sessions.calls.briefing import Briefing
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import BROWSER_JOINED
from telephony.bridge.agent_side import AgentSide
from telephony.bridge.core.actions import FallBack, FollowUp, HangUp, LinkLoss
from telephony.bridge.core.remote_playout import RemotePlayout
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.openai.side_channel import SideChannelDialect

# A page that says nothing hears the agent by then, or not at all.
GREET_AFTER_MS = 3_000
JOIN_WITHIN_MS = 20_000
# A call that has just been answered may not be known yet where side channels are opened.
FIND_WITHIN_MS = 3_000
FIND_AGAIN_MS = 400
# The provider has lost the browser, and its page is still here: it comes back by then (realtime.mjs tries for 10 s).
RETURN_WITHIN_MS = 15_000
# Less than the longest session: a new one cannot take its place, for the browser is in this one.
LONGEST_CALL_MS = 55 * 60_000

# On the timeline: the page has lost its connection to the provider; it has another one.
BROWSER_LOST = "browser_lost"
BROWSER_RETURNED = "browser_returned"

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
        self._remote = RemotePlayout(clock)
        self._has_joined = not waits_for_page
        self._has_begun = not waits_for_page
        self._has_said_so = False
        if waits_for_page:
            agent.wait_for_page()
        self.has_left = False
        self._was_linked = False
        self._page_is_there = False
        self._has_moved = False
        self._since_ms = 0  # when the browser began to connect
        self._alone_since_ms: int | None = None  # the provider has lost the browser, and its page may come back
        self._if_it_stays_away: tuple[EndReason, FollowUp] = (EndReason.STREAM_LOST, HangUp())
        super().__init__(_without_audio(briefing), clock=clock, playout=self._remote, make_dialect=lambda _: agent)

    @property
    def is_alone(self) -> bool:
        """The provider has lost the browser, whose page may come back."""
        return self._alone_since_ms is not None

    def link_opened(self, was_idle: bool = False) -> None:
        super().link_opened(was_idle)
        self._agent.link_opened()

    def link_lost(self, loss: LinkLoss) -> None:
        """The provider closes the side channel of a call that is over, and has none of it afterwards."""
        self._was_linked |= self._agent.is_ready
        is_gone = loss.code == NOT_FOUND and self._was_linked
        if self.is_over or self.is_alone:
            return
        if loss.code == NORMAL and self._page_is_there:
            self._wait_for_page(EndReason.STREAM_LOST, HangUp())
        elif loss.code == NORMAL:
            self.caller_gone()
        elif is_gone and self._page_is_there:
            self._wait_for_page(EndReason.PROVIDER_FAILED, FallBack())
        elif is_gone:
            self.has_left = True
            self._conversation.close(EndReason.PROVIDER_FAILED, FallBack())
        elif loss.code == NOT_FOUND and self._conversation.now_ms - self._since_ms < FIND_WITHIN_MS:
            super().link_lost(replace(loss, is_fatal=False, wait_ms=FIND_AGAIN_MS))
        else:
            super().link_lost(loss)

    # The page

    def joined(self) -> None:
        """The page is connected, as it says."""
        if self.is_over or self.is_alone:  # it does not know yet that it is not
            return
        if not self._has_said_so:
            self._has_said_so = True
            self._timeline.happened(BROWSER_JOINED)
        self._has_joined = self._page_is_there = True
        self._begin()

    def page_came(self) -> None:
        """The page is there, whether it is connected to the provider or not."""
        self._page_is_there = True

    def page_left(self) -> None:
        """The tab is closed, or shows something else: it does not come back."""
        self._page_is_there = False
        if self.is_alone:
            self._stay_alone(EndReason.CALLER_HUNG_UP, HangUp())

    def moved(self, *, unheard_ms: int) -> None:
        """The browser has lost its connection and begun another call at the provider's, with a session of its own.

        The agent was not heard for the last `unheard_ms`. The next link is to that call.
        """
        if self.is_over:
            return
        self._timeline.happened(BROWSER_RETURNED, unheard_ms=unheard_ms)
        self._since_ms = self._conversation.now_ms
        self._alone_since_ms = None
        self._page_is_there = self._has_moved = True
        self.has_left = self._was_linked = self._has_joined = self._has_begun = False
        self._agent.change_session()
        self._remote.lose(unheard_ms)
        self._conversation.replace_session()

    def caller_gone(self) -> None:
        """The provider says that the browser has left the call."""
        self.has_left = True
        self._conversation.close(EndReason.CALLER_HUNG_UP, HangUp())

    def _wait_for_page(self, reason: EndReason, follow_up: FollowUp) -> None:
        self._timeline.happened(BROWSER_LOST)
        self.has_left = True
        self._alone_since_ms = self._conversation.now_ms
        self._if_it_stays_away = reason, follow_up
        self._conversation.session_gone()

    def _stay_alone(self, reason: EndReason, follow_up: FollowUp) -> None:
        """Nothing was heard since the provider lost the browser."""
        self._remote.lose(self._conversation.now_ms - (self._alone_since_ms or 0))
        self._conversation.close(reason, follow_up)

    # Time

    def clock_reads(self, now_ms: int) -> None:
        """When what comes next happens. No audio passes that would be the clock between two ticks."""
        self._clock.tick(now_ms)

    def time_passed(self, now_ms: int) -> None:
        conversation = self._conversation
        if conversation.is_over:
            return
        self._clock.tick(now_ms)
        if conversation.is_caller_speaking:
            conversation.caller_loud_ms = now_ms  # how loud it is, only the provider hears
            self._has_joined = True
        if self._alone_since_ms is not None:
            if now_ms - self._alone_since_ms >= RETURN_WITHIN_MS:
                self._stay_alone(*self._if_it_stays_away)
                return
        elif now_ms - self._since_ms >= GREET_AFTER_MS:
            self._begin()
        if now_ms - self._since_ms >= JOIN_WITHIN_MS and not self._has_joined:
            reason = EndReason.STREAM_LOST if self._has_moved else EndReason.BROWSER_NEVER_JOINED
            conversation.close(reason, HangUp())
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

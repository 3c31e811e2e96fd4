"""One live call of a browser that talks to OpenAI itself: its side channel, and the core that follows it."""

from __future__ import annotations

import asyncio
import contextlib
from uuid import UUID

from django.db import DatabaseError

from sessions.calls.outcomes import ToolResult
from telephony.bridge.browser_call import JOIN_WITHIN_MS, BrowserCall
from telephony.bridge.core.actions import RunTool
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.openai.client import OpenAIClient

from .call_scope import CallScope
from .call_watchers import call_watchers
from .gateway import CallGateway
from .registry import LiveCalls
from .side_channel_provider import side_channel_provider

BRIEF_WITHIN_S = 4.0
HANG_UP_WITHIN_S = 5.0
# The page may have told another process that it is there.
LOOK_FOR_PAGE_MS = JOIN_WITHIN_MS - 3_000


class BrowserLiveCall(CallScope[BrowserCall]):
    """No audio passes. Its end hangs up at OpenAI, whoever decided it; watchers learn every change at once."""

    def __init__(self, call_id: UUID, *, provider_call_id: str, gateway: CallGateway, calls: LiveCalls) -> None:
        super().__init__(call_id, stream_id=None, gateway=gateway, calls=calls)
        self._provider_call_id = provider_call_id
        self._has_joined = False
        self._has_looked = False

    # What the page says

    def joined(self) -> None:
        """It hears the agent."""
        self._has_joined = True
        if self._core is not None:
            self._core.joined()
            self._settle(self._core)

    def say(self, text: str) -> None:
        """The caller typed."""
        if self._core is not None:
            self._core.say(text)
            self._settle(self._core)

    def silence_agent(self) -> None:
        """The caller pressed the button for it."""
        if self._core is not None:
            self._core.silence_agent()
            self._settle(self._core)

    # The scope

    def tick(self, now: float) -> None:
        if not (self._has_joined or self._has_looked) and self._now_ms() >= LOOK_FOR_PAGE_MS:
            self._has_looked = True
            self._begin(self._look_for_page())
        super().tick(now)

    def _listen(self) -> None:
        call_watchers.changed(self.call_id)

    async def _prepare(self) -> None:
        async with asyncio.timeout(BRIEF_WITHIN_S):
            briefing = await self._gateway.brief(self.call_id)
        provider = self._use(side_channel_provider(briefing, self._provider_call_id))
        core = BrowserCall(briefing.without_prompt(), make_dialect=provider.make_dialect, waits_for_page=True)
        if self._has_joined:
            core.joined()
        core.time_passed(self._now_ms())
        self._core = core
        self._settle(core)

    async def _look_for_page(self) -> None:
        if await self._gateway.has_joined(self.call_id):
            self.joined()

    def _send_to_caller(self, texts: list[str]) -> None:
        """Nothing passes here."""

    def _on_written(self) -> None:
        call_watchers.changed(self.call_id)

    async def _run_in_gateway(self, tool: RunTool) -> ToolResult:
        result = await super()._run_in_gateway(tool)
        call_watchers.changed(self.call_id)
        return result

    async def _close(self) -> None:
        await super()._close()
        call_watchers.changed(self.call_id)

    async def _close_caller(self) -> None:
        """A call that went on at OpenAI would cost money, with nobody to run its tools."""
        if self._core is not None and self._core.has_left:
            return
        try:
            async with asyncio.timeout(HANG_UP_WITHIN_S):
                await asyncio.to_thread(_hang_up, self._provider_call_id)
        except (TimeoutError, ProviderError) as fault:
            self._log.warning("not hung up", error=str(fault))
            with contextlib.suppress(DatabaseError):  # then the reaper does, as it closes the call
                await self._gateway.hang_up_later(self.call_id)


def _hang_up(provider_call_id: str) -> None:
    OpenAIClient.from_settings().hang_up(provider_call_id)

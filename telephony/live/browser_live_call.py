"""One live call of a browser that talks to OpenAI itself: its side channel, and the core that follows it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from django.db import DatabaseError

from sessions.calls.end_reasons import EndReason
from sessions.calls.outcomes import ToolResult
from sessions.calls.passed_messages import Kind
from telephony.bridge.browser_call import JOIN_WITHIN_MS, BrowserCall
from telephony.bridge.core.actions import RunTool
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.openai.client import OpenAIClient

from .call_scope import CallScope
from .call_watchers import call_watchers
from .gateway import CallGateway
from .registry import LiveCalls
from .side_channel_provider import side_channel_provider, side_channels_to

BRIEF_WITHIN_S = 4.0
HANG_UP_WITHIN_S = 5.0
# The page may have told another process that it is there.
LOOK_FOR_PAGE_MS = JOIN_WITHIN_MS - 3_000
# How often messages are looked for that the page has left at another process, while its socket may be there.
LOOK_EVERY_S = 0.25


class BrowserLiveCall(CallScope[BrowserCall]):
    """No audio passes. Its end hangs up at OpenAI, whoever decided it; watchers learn every change at once."""

    def __init__(self, call_id: UUID, *, provider_call_id: str, gateway: CallGateway, calls: LiveCalls) -> None:
        super().__init__(call_id, stream_id=None, gateway=gateway, calls=calls)
        self._provider_call_id = provider_call_id
        self._has_joined = False
        self._joined_ms = 0
        self._has_looked = False
        self._looked_at = self._began_at
        self._reading = asyncio.Lock()

    # What the page says

    def joined(self) -> None:
        """It hears the agent."""
        if self._has_joined:
            self._begin(self._joined_again())
        else:
            self._join()

    async def _joined_again(self) -> None:
        """In another call at OpenAI, of which this process may not know yet."""
        await self.take_messages()
        self._join()

    def _join(self) -> None:
        self._has_joined, self._joined_ms = True, self._now_ms()
        if self._core is not None:
            self._core.clock_reads(self._joined_ms)
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

    def page_came(self) -> None:
        """A socket of the page is open here."""
        if self._core is not None:
            self._core.page_came()

    def page_left(self) -> None:
        """The page was closed. A socket that only broke comes back."""
        if self._core is not None:
            self._core.page_left()
            self._settle(self._core)

    async def take_messages(self) -> None:
        """What the page has said to other processes, and where it is now."""
        async with self._reading:
            self._looked_at = self._loop.time()
            try:
                messages = await self._gateway.take_messages(self.call_id)
            except DatabaseError as fault:
                self._log.warning("messages of the page not read", error=type(fault).__name__)
                return
            if messages is None:
                self.hang_up(EndReason.HUNG_UP_BY_OPERATOR)
                return
            for kind, text in messages:
                self._heed(kind, text)

    def _heed(self, kind: Kind, text: str) -> None:
        match kind:
            case Kind.JOINED:
                self._join()
            case Kind.SAY:
                self.say(text)
            case Kind.INTERRUPT:
                self.silence_agent()
            case Kind.MOVED:
                unheard_ms, _, provider_call_id = text.partition(" ")
                self._move(provider_call_id, unheard_ms=int(unheard_ms))

    def _move(self, provider_call_id: str, *, unheard_ms: int) -> None:
        self._provider_call_id = provider_call_id
        if (core := self._core) is None or self._provider is None:
            return
        self._provider = replace(self._provider, make_link=side_channels_to(provider_call_id))
        core.moved(unheard_ms=unheard_ms)
        self._settle(core)

    # The scope

    def tick(self, now: float) -> None:
        if not (self._has_joined or self._has_looked) and self._now_ms() >= LOOK_FOR_PAGE_MS:
            self._has_looked = True
            self._begin(self._look_for_page())
        core = self._core
        is_elsewhere = core is not None and (core.is_alone or not call_watchers.count(self.call_id))
        if is_elsewhere and now - self._looked_at >= LOOK_EVERY_S and not self._reading.locked():
            self._looked_at = now
            self._begin(self.take_messages())
        super().tick(now)

    def _listen(self) -> None:
        call_watchers.changed(self.call_id)

    def _pass_on(self, core: BrowserCall, what: Callable[..., None], *details: object) -> None:
        core.clock_reads(self._now_ms())
        super()._pass_on(core, what, *details)

    async def _prepare(self) -> None:
        async with asyncio.timeout(BRIEF_WITHIN_S):
            briefing = await self._gateway.brief(self.call_id)
        provider = self._use(side_channel_provider(briefing, self._provider_call_id))
        core = BrowserCall(briefing.without_prompt(), make_dialect=provider.make_dialect, waits_for_page=True)
        if call_watchers.count(self.call_id):
            core.page_came()
        if self._has_joined:
            core.clock_reads(self._joined_ms)
            core.joined()
        core.time_passed(self._now_ms())
        self._core = core
        self._settle(core)

    async def _look_for_page(self) -> None:
        if await self._gateway.has_joined(self.call_id):
            self._join()

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
        provider_call_id = self._provider_call_id
        with contextlib.suppress(DatabaseError):  # the browser may have begun another one just now
            provider_call_id = await self._gateway.provider_call_of(self.call_id)
        if self._core is not None and self._core.has_left and provider_call_id == self._provider_call_id:
            return
        try:
            async with asyncio.timeout(HANG_UP_WITHIN_S):
                await asyncio.to_thread(_hang_up, provider_call_id)
        except (TimeoutError, ProviderError) as fault:
            self._log.warning("not hung up", error=str(fault))
            with contextlib.suppress(DatabaseError):  # then the reaper does, as it closes the call
                await self._gateway.hang_up_later(self.call_id)


def _hang_up(provider_call_id: str) -> None:
    OpenAIClient.from_settings().hang_up(provider_call_id)

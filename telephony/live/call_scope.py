"""One live call without its caller's side: the link, the core, and one scope for all tasks."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog

from sessions.calls.briefing import Briefing
from sessions.calls.commands import Command, Kind
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import SomethingHappened
from sessions.calls.outcomes import ToolResult
from telephony.bridge.agent_side import AgentSide
from telephony.bridge.core.actions import (
    Action,
    CloseCall,
    CloseLink,
    FailOver,
    FallBack,
    HangUp,
    OpenLink,
    Record,
    RunTool,
    Show,
)
from telephony.twilio.phrases import Phrase, phrase

from .call_recorder import CallRecorder
from .gateway import CallGateway
from .links import Link
from .listening.channel import outlet as outlet_of
from .listening.listeners import Listener, Listeners
from .provider import Provider
from .providers import provider_for
from .registry import LiveCalls

logger = structlog.get_logger("live_call")

TASKS_END_WITHIN_S = 2.0
TOOLS_END_WITHIN_S = 5.0
RECORD_BEFORE_CLOSE_S = 2.0

Core = TypeVar("Core", bound=AgentSide)
P = TypeVar("P", bound=Provider)


class CallScope(ABC, Generic[Core]):
    """Moves frames between the link and the core and executes the actions of the core, which decides everything.

    A subclass has the caller's side.
    """

    shows_lines = False  # of the transcript, as they grow

    __slots__ = (
        "_began_at",
        "_call_id",
        "_calls",
        "_core",
        "_early_commands",
        "_ending",
        "_fallback",
        "_gateway",
        "_language",
        "_link",
        "_listeners",
        "_log",
        "_loop",
        "_over",
        "_provider",
        "_recorder",
        "_tasks",
        "_tools",
    )

    def __init__(self, call_id: UUID, *, stream_id: UUID | None, gateway: CallGateway, calls: LiveCalls) -> None:
        self._call_id = call_id
        self._provider: Provider | None = None
        self._fallback: tuple[str, Briefing] | None = None  # the first provider's name, and the briefing of the other
        self._gateway = gateway
        self._calls = calls
        self._loop = asyncio.get_running_loop()
        self._began_at = self._loop.time()
        self._core: Core | None = None
        self._link: Link | None = None
        self._ending: CloseCall | None = None
        self._language = ""
        self._early_commands: list[Command] = []
        self._listeners: Listeners | None = None
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._tools: set[asyncio.Task[Any]] = set()
        self._recorder = CallRecorder(gateway, call_id=call_id, stream_id=stream_id, on_written=self._on_written)
        self._log = logger.bind(call_id=str(call_id))

    @property
    def call_id(self) -> UUID:
        return self._call_id

    # What the caller's side does

    @abstractmethod
    def _listen(self) -> None:
        """From now on the caller's side reports what happens there."""

    @abstractmethod
    async def _prepare(self) -> None:
        """Brief the agent and make the core."""

    @abstractmethod
    def _send_to_caller(self, texts: list[str]) -> None:
        """Send text frames, in order and without waiting."""

    @abstractmethod
    async def _close_caller(self) -> None:
        """Close the caller's side."""

    def _on_written(self) -> None:
        """More of the call's facts are in the database."""

    def _on_close(self, core: Core, ending: CloseCall) -> None:
        """The core ends the call."""
        self._end(ending)

    # The scope

    async def run(self) -> None:
        """Carry the call to its end, on whichever side it ends."""
        self._calls.add(self, self._gateway)
        self._listen()
        self._begin(self._prepare())
        try:
            await self._over
        finally:
            await _shield(asyncio.create_task(self._close()))

    def hang_up(self, reason: EndReason) -> None:
        """The operator, or a server that stops, ends the call."""
        if self._core is None:
            self._end(CloseCall(reason, FallBack() if reason is EndReason.SERVER_STOPPING else HangUp()))
        elif not self._core.is_over:
            self._core.hang_up(reason)
            self._settle(self._core)

    def obey(self, command: Command) -> None:
        """Do what another process, or an operator, wants: as soon as there is an agent."""
        if command.kind is Kind.HANG_UP:
            self.hang_up(EndReason.HUNG_UP_BY_OPERATOR)
        elif command.kind is Kind.LISTEN:
            if (outlet := outlet_of(command.text)) is not None and not self.let_in(outlet.listener):
                outlet.listener.gone.set()
        elif self._core is None:
            self._early_commands.append(command)
        elif not self._core.is_over:
            self._tell(self._core, command)
            self._settle(self._core)

    def _tell(self, core: Core, command: Command) -> None:
        match command.kind:
            case Kind.NOTE:
                core.note(command.text)
            case Kind.HINT:
                core.hint(command.text)
            case Kind.HAND_OVER:
                core.hand_over(command.text, say=phrase(Phrase.CONNECTING, self._language))

    def let_in(self, listener: Listener) -> bool:
        """Somebody listens in, until the listener or the call is gone. False if too many do."""
        if self._over.done():
            return False
        if self._listeners is None:
            self._listeners = Listeners(keeps_lines=self.shows_lines)
        return self._listeners.add(listener)

    def _serve_listeners(self, core: Core, listeners: Listeners) -> None:
        listeners.tick(core, self._now_ms())
        if listeners.is_empty:
            self._listeners = None

    def break_off(self, fault: BaseException) -> None:
        """Our own code failed. The caller is handed to the fallback; the other calls go on."""
        self._log.error("call broken off", exc_info=fault)
        self._end(CloseCall(EndReason.LOST_PROCESS, FallBack()))
        self._finish_now()

    def tick(self, now: float) -> None:
        if (core := self._core) is not None:
            core.time_passed(int((now - self._began_at) * 1000))
            if self._early_commands:
                early, self._early_commands = self._early_commands, []
                for command in early:
                    self.obey(command)
            self._settle(core)
            if self._listeners is not None:
                self._serve_listeners(core, self._listeners)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._tools.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.break_off(fault)

    def _end(self, ending: CloseCall) -> None:
        """The end is decided, and all frames before it are sent."""
        if self._ending is None:
            self._ending = ending
        self._finish_now()

    def _finish_now(self) -> None:
        if not self._over.done():
            self._over.set_result(None)

    async def _close(self) -> None:
        """Close both sides, then the rest. Every step has its own limit, so that none blocks the next."""
        self._calls.remove(self)
        if self._listeners is not None:
            self._listeners.end()
        if self._link is not None:
            self._link.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=TASKS_END_WITHIN_S)
        ending = self._ending or CloseCall(EndReason.SERVER_STOPPING, FallBack())
        recording_end = asyncio.create_task(self._recorder.close(ending))
        # The carrier requests the action webhook, and reports the end, as soon as the socket is closed.
        await asyncio.wait({recording_end}, timeout=RECORD_BEFORE_CLOSE_S)
        await self._close_caller()
        try:
            await self._finish_tools()
        finally:
            await recording_end

    async def _finish_tools(self) -> None:
        """Run the tools that the agent requested before the end, in order: the caller may have confirmed an order."""
        if self._provider is not None and self._provider.runs_tools:
            for watcher in self._tools:
                watcher.cancel()
            return
        is_our_fault = self._ending is not None and self._ending.reason is EndReason.LOST_PROCESS
        waiting = [] if self._core is None or is_our_fault else self._core.waiting_tools()
        try:
            async with asyncio.timeout(TOOLS_END_WITHIN_S):
                if self._tools:
                    await asyncio.wait(set(self._tools))
                for tool in waiting:
                    await self._run_in_gateway(tool)
        except TimeoutError:
            self._log.warning("tools not finished")

    # The agent's side

    def _choose(self, briefing: Briefing) -> Provider:
        self._language = briefing.language
        return self._use(provider_for(briefing))

    def _use(self, provider: P) -> P:
        self._provider = provider
        for each in provider.replaced:
            self._recorder.note(SomethingHappened("field_replaced", self._now_ms(), dict(each)))
        return provider

    def _fail_over(self, core: Core, why: str) -> None:
        if self._fallback is None:
            return
        (first, briefing), self._fallback = self._fallback, None
        detail = {"from": first, "to": briefing.provider, "why": why}
        self._recorder.note(SomethingHappened("failed_over", self._now_ms(), detail))
        core.change_agent(self._choose(briefing).make_dialect)
        self._settle(core)

    def _now_ms(self) -> int:
        return int((self._loop.time() - self._began_at) * 1000)

    def _open_link(self, core: Core) -> None:
        if self._provider is None:  # the core is made with it
            raise RuntimeError("a link without a provider")
        link: Link = self._provider.make_link(
            on_opened=lambda: self._pass_on(core, core.link_opened, link.was_idle),
            on_frame=partial(self._agent_frame, core, core.agent_frame),
            on_lost=partial(self._pass_on, core, core.link_lost),
        )
        self._link = link
        self._begin(link.open())

    def _agent_frame(self, core: Core, take: Callable[[str], None], text: str) -> None:
        """The hot path, fifty times a second: as `_pass_on`."""
        try:
            take(text)
            self._settle(core)
        except Exception as fault:  # noqa: BLE001 - passed on: it ends this call
            self.break_off(fault)

    def _pass_on(self, core: Core, what: Callable[..., None], *details: object) -> None:
        """Pass an event of the link to the core. Called by picows, which takes any exception for a lost link."""
        try:
            what(*details)
            self._settle(core)
        except Exception as fault:  # noqa: BLE001 - passed on: it ends this call
            self.break_off(fault)

    # The core's actions

    def _settle(self, core: Core) -> None:
        """Send the core's frames and execute its actions. Runs after every input, so it checks before it works."""
        if core.to_agent:
            link = self._link
            if link is not None:
                for text in core.to_agent:
                    link.send(text)
            core.to_agent.clear()
        if core.to_caller:
            self._send_to_caller(core.to_caller)
            core.to_caller.clear()
        if core.actions:
            actions = core.actions.copy()
            core.actions.clear()
            for action in actions:
                self._do(core, action)

    def _do(self, core: Core, action: Action) -> None:
        match action:
            case Record(fact):
                self._recorder.note(fact)
                if self._listeners is not None:
                    self._listeners.fact(self._recorder.placed(fact), is_final=True)
            case Show(line):
                if self._listeners is not None:
                    self._listeners.fact(self._recorder.placed(line), is_final=False)
            case RunTool():
                task = asyncio.create_task(self._run_tool(core, action))
                self._tools.add(task)
                task.add_done_callback(self._done)
            case OpenLink():
                self._open_link(core)
            case FailOver(why):
                self._fail_over(core, why)
            case CloseLink():
                if self._link is not None:
                    self._link.close()
            case CloseCall():
                self._on_close(core, action)

    async def _run_tool(self, core: Core, tool: RunTool) -> None:
        result = await self._run_in_gateway(tool)
        if not core.is_over:
            core.tool_finished(tool.tool_call_id, result)
            self._settle(core)

    async def _run_in_gateway(self, tool: RunTool) -> ToolResult:
        within_s = tool.commits_within_ms / 1000
        if self._provider is not None and self._provider.runs_tools:
            return await self._gateway.watch_tool(self.call_id, tool_call_id=tool.tool_call_id, within_s=within_s)
        resumption = self._recorder.resumption
        return await self._gateway.run_tool(
            self.call_id,
            name=tool.name,
            arguments=tool.arguments,
            tool_call_id=resumption.own_id(tool.tool_call_id) if resumption else tool.tool_call_id,
            caller_turns=tool.caller_turns + (resumption.turns if resumption else 0),
            within_s=within_s,
        )


async def _shield(closing: asyncio.Task[None]) -> None:
    """Wait for the end even when this task is canceled, so that the call's state is always written."""
    was_cancelled = False
    while not closing.done():
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            was_cancelled = True
    if was_cancelled:
        raise asyncio.CancelledError

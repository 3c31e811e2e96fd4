"""The responses of the assistant: what the model says, the tools it calls, and what follows from their results."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any
from uuid import uuid4

from voiceapp.simulators.model.agent.outputs import FunctionCall, Speech
from voiceapp.simulators.model.conversation import ModelBrief
from voiceapp.simulators.model.voice_model import VoiceModel
from voiceapp.simulators.vapi.call import VapiCall
from voiceapp.simulators.vapi.reports import CallReports
from voiceapp.simulators.vapi.tools import ToolRunner, new_tool_call_id

_MAX_STEPS = 6  # responses of the model in a row, each after tools

Say = Callable[..., Awaitable[bool]]


class Responses:
    """One at a time. `say` speaks and returns whether the caller let it end; `use_own_tool` runs VAPI's own tools."""

    def __init__(
        self, call: VapiCall, model: VoiceModel, tools: ToolRunner, reports: CallReports, *, say: Say,
        use_own_tool: Callable[[str, Mapping[str, Any]], Awaitable[None]],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:  # fmt: skip
        self._call, self._model, self._tools, self._reports = call, model, tools, reports
        self._say, self._use_own_tool, self._spawn = say, use_own_tool, spawn
        self._brief = ModelBrief(call.settings.instructions, tools.functions())
        self._script = call.faults.script()
        self._running: asyncio.Task[None] | None = None
        self._has_new_words = False
        self.turn_id = ""

    def respond(self) -> None:
        """Respond to the newest words, now or after what is being done."""
        if "silent" in self._call.faults:
            return
        self._has_new_words = True
        if self._running is None or self._running.done():
            self._running = self._spawn(self._answer())

    def begin_with(self, greeting: Coroutine[Any, Any, None]) -> None:
        """Speak first; words of the caller that come meanwhile are answered afterwards."""
        self._running = self._spawn(self._greet(greeting))

    async def _greet(self, greeting: Coroutine[Any, Any, None]) -> None:
        await greeting
        await self._answer()

    async def _answer(self) -> None:
        while self._has_new_words:
            self._has_new_words = False
            await asyncio.sleep(self._call.faults.seconds("slow_model"))
            for _ in range(_MAX_STEPS):
                if not await self._step():
                    break

    async def _step(self) -> bool:
        """One response of the model. Returns whether tools were called, so that the model continues."""
        self.turn_id = str(uuid4())
        calls: list[FunctionCall] = []
        for output in self._decide():
            if isinstance(output, FunctionCall):
                calls.append(output)
                continue
            self._reports.emit("model-output", output=output.text, turnId=self.turn_id)
            if not await self._say(output.text):
                return False
        return await self._call_tools(calls) if calls else False

    def _decide(self) -> list[Speech | FunctionCall]:
        if self._script:
            return list(self._script.pop(0))
        if "deaf" in self._call.faults:
            return [Speech("(chirp)")]
        return self._model.decide(self._brief, self._call.transcript.turns)

    async def _call_tools(self, outputs: list[FunctionCall]) -> bool:
        transcript = self._call.transcript
        calls = {new_tool_call_id(): output for output in outputs}
        transcript.add_tool_calls(calls)
        self._reports.emit("model-output", output=transcript.messages[-1]["toolCalls"], turnId=self.turn_id)
        self._reports.conversation()
        functions = {call_id: call for call_id, call in calls.items() if self._tools.built_in(call.name) is None}
        continues = await self._run(functions) if functions else False
        for call in outputs:
            if (kind := self._tools.built_in(call.name)) is not None:
                await self._use_own_tool(kind, self._tools.definition(call.name))
        return continues

    async def _run(self, calls: Mapping[str, FunctionCall]) -> bool:
        """Returns whether the model speaks next: a message of a tool is spoken in its place."""
        running = asyncio.ensure_future(self._tools.run(calls))
        try:
            await self._say_meanwhile(next(iter(calls.values())).name, running)
            outcomes = await running
        finally:
            running.cancel()
        for call_id, outcome in outcomes.items():
            self._call.transcript.add_tool_result(
                call_id, calls[call_id].name, outcome.result, is_error=outcome.is_error
            )
        self._reports.conversation()
        spoken = " ".join(outcome.message for outcome in outcomes.values() if outcome.message)
        if spoken:
            await self._say(spoken)
        return not spoken

    async def _say_meanwhile(self, name: str, running: asyncio.Future[Any]) -> None:
        """The messages of a tool for the time in which it runs."""
        if text := self._tools.said_at_start(name):
            await self._say(text, is_verbatim=True)
        text, after_s = self._tools.said_when_delayed(name)
        if text and not (await asyncio.wait([running], timeout=after_s))[0]:
            await self._say(text, is_verbatim=True)

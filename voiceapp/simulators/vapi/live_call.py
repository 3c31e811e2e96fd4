"""A call on its socket: the assistant speaks, hears, interrupts itself, calls tools, and ends the call."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any
from uuid import uuid4

from voiceapp.simulators.model.agent.outputs import FunctionCall, Speech
from voiceapp.simulators.model.conversation import ModelBrief
from voiceapp.simulators.model.voice_model import VoiceModel
from voiceapp.simulators.vapi.call import VapiCall
from voiceapp.simulators.vapi.client_socket import ClientSocket
from voiceapp.simulators.vapi.ear import Ear, length_ms
from voiceapp.simulators.vapi.server_messages import ServerMessages
from voiceapp.simulators.vapi.speaker import Speaker
from voiceapp.simulators.vapi.tools import ToolRunner, new_tool_call_id

_MAX_STEPS = 6  # responses of the model in a row, each after tools
_TRANSFERRED = "assistant-forwarded-call"


class LiveCall:
    """`run` returns when the call is over; `receive_audio` and `control` take what the client sends."""

    def __init__(self, call: VapiCall, socket: ClientSocket, model: VoiceModel, server: ServerMessages) -> None:
        self.call, self._socket, self._model, self._server = call, socket, model, server
        settings, faults = call.settings, call.faults
        self._speaker = Speaker(
            model, call.audio_format, voice=settings.voice, emit=self._emit, send=socket.audio,
            is_chirping="deaf" in faults,
        )  # fmt: skip
        self._ear = Ear(call.audio_format, pause_ms=settings.pause_ms, on_speech=self._on_speech, on_turn=self._on_turn)
        self._tools = ToolRunner(
            settings.tools, server_of=server.of_tool, webhooks=server.webhooks, faults=faults,
            describe=server.describe, emit=self._emit,
        )  # fmt: skip
        self._brief = ModelBrief(settings.instructions, self._tools.functions())
        self._script = faults.script()
        self._tasks: set[asyncio.Task[None]] = set()
        self._responding: asyncio.Task[None] | None = None
        self._has_new_words = False
        self._turn_id = ""
        self._ended = asyncio.Event()

    async def run(self) -> None:
        call = self.call
        self._model.prepare(call.settings.instructions)
        call.begin()
        self._emit("status-update", status="in-progress")
        self._emit("assistant.started", newAssistant=call.settings.assistant)
        limit_s = call.faults.number("limit_s") or call.settings.max_duration_s
        limit = asyncio.get_running_loop().call_later(limit_s, self.end, "exceeded-max-duration")
        try:
            if "steady_audio" in call.faults:
                self._spawn(self._speaker.fill_pauses())
            self._begin()
            await self._ended.wait()
        finally:
            limit.cancel()
            await self._cancel_tasks()
            await self._finish()

    def end(self, reason: str) -> None:
        """End the call; the first reason counts."""
        if not self._ended.is_set():
            self.call.ended_reason = reason
            self._ended.set()

    def receive_audio(self, raw: bytes) -> None:
        if not self._ended.is_set():
            self._ear.receive(raw)

    def control(self, message: Mapping[str, Any]) -> None:
        """A valid message of the client, from the socket or the control URL (protocols.md, C2)."""
        match message["type"]:
            case "end-call":
                self.end("manually-canceled")
            case "hangup":
                self.end("customer-ended-call")
            case "say":
                self._spawn(self._say_injected(message))
            case "add-message":
                self._add_message(message)
            case "append-context":
                self.call.transcript.add_text("system", str(message["content"]))
            case "control":
                self._steer(str(message["control"]))
            case "transfer":
                self._spawn(self._transfer(dict(message["destination"]), str(message.get("content") or "")))

    # speech

    def _begin(self) -> None:
        settings = self.call.settings
        if "silent" in self.call.faults or "no_first_message" in self.call.faults:
            return
        if settings.first_message_mode == "assistant-speaks-first-with-model-generated-message":
            self._respond()
        elif settings.first_message_mode == "assistant-speaks-first" and settings.first_message:
            self._start(self._say_first_message())

    async def _say_first_message(self) -> None:
        settings = self.call.settings
        may_be_interrupted = bool(settings.assistant.get("firstMessageInterruptionsEnabled", False))
        await self._say(settings.first_message, is_verbatim=True, may_be_interrupted=may_be_interrupted)
        if self._has_new_words:
            await self._answer()

    async def _say(self, text: str, *, is_verbatim: bool = False, may_be_interrupted: bool = True) -> bool:
        """Speak, and write down what was heard. Returns False if the caller interrupted."""
        spoken = await self._speaker.say(text, may_be_interrupted=may_be_interrupted)
        self._speaker.turn += 1
        self.call.transcript.add_agent(spoken.text, is_verbatim=is_verbatim, duration_ms=spoken.duration_ms)
        self._update_conversation()
        phrases = [str(each).lower() for each in self.call.settings.assistant.get("endCallPhrases") or []]
        if not spoken.was_interrupted and any(phrase in spoken.text.lower() for phrase in phrases):
            self.end("assistant-said-end-call-phrase")
        return not spoken.was_interrupted

    async def _say_injected(self, message: Mapping[str, Any]) -> None:
        if message.get("interruptAssistantEnabled") and self._speaker.is_speaking:
            self._interrupt()
        may_be_interrupted = bool(message.get("interruptionsEnabled", True))
        await self._say(str(message["content"]), is_verbatim=True, may_be_interrupted=may_be_interrupted)
        if message.get("endCallAfterSpoken"):
            self.end("assistant-ended-call-after-message-spoken")

    # the caller

    def _on_speech(self) -> None:
        self._emit("speech-update", status="started", role="user", turn=self._speaker.turn)
        if self._speaker.can_be_interrupted and "no_interrupt" not in self.call.faults:
            self._interrupt()

    def _interrupt(self) -> None:
        self._speaker.stop()
        self._emit("user-interrupted", turnId=self._turn_id)

    def _on_turn(self, pcm_8k: bytes) -> None:
        self._emit("speech-update", status="stopped", role="user", turn=self._speaker.turn)
        self._spawn(self._hear(pcm_8k))

    async def _hear(self, pcm_8k: bytes) -> None:
        is_deaf = "deaf" in self.call.faults
        heard = "" if is_deaf else await self._model.recognize(pcm_8k, self.call.settings.instructions)
        transcript = self._model.transcript(heard)
        words = transcript.split(" ")
        if len(words) > 1:
            half = " ".join(words[: len(words) // 2])
            self._emit("transcript", role="user", transcriptType="partial", transcript=half)
        if transcript:
            self._emit("transcript", role="user", transcriptType="final", transcript=transcript)
        self.call.transcript.add_caller(heard, transcript, duration_ms=length_ms(pcm_8k))
        self._update_conversation()
        self._respond()

    # responses

    def _respond(self) -> None:
        """Respond to the newest words, now or after what is being done."""
        if "silent" in self.call.faults:
            return
        self._has_new_words = True
        if self._responding is None or self._responding.done():
            self._start(self._answer())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._responding = self._spawn(work)

    async def _answer(self) -> None:
        while self._has_new_words:
            self._has_new_words = False
            await asyncio.sleep(self.call.faults.seconds("slow_model"))
            for _ in range(_MAX_STEPS):
                if not await self._step():
                    break

    async def _step(self) -> bool:
        """One response of the model. Returns whether tools were called, so that the model continues."""
        self._turn_id = str(uuid4())
        calls: list[FunctionCall] = []
        for output in self._decide():
            if isinstance(output, FunctionCall):
                calls.append(output)
                continue
            self._emit("model-output", output=output.text, turnId=self._turn_id)
            if not await self._say(output.text):
                return False
        return await self._call_tools(calls) if calls else False

    def _decide(self) -> list[Speech | FunctionCall]:
        if self._script:
            return list(self._script.pop(0))
        if "deaf" in self.call.faults:
            return [Speech("(chirp)")]
        return self._model.decide(self._brief, self.call.transcript.turns)

    async def _call_tools(self, outputs: list[FunctionCall]) -> bool:
        calls = {new_tool_call_id(): output for output in outputs}
        own = {call_id: call for call_id, call in calls.items() if self._tools.built_in(call.name) is None}
        self.call.transcript.add_tool_calls(calls)
        self._emit("model-output", output=self.call.transcript.messages[-1]["toolCalls"], turnId=self._turn_id)
        self._update_conversation()
        is_answered = await self._run_functions(own) if own else False
        for call in calls.values():
            if self._tools.built_in(call.name) == "endCall":
                await self._end_politely()
            elif self._tools.built_in(call.name) == "transferCall":
                await self._ask_destination(self._tools.definition(call.name))
        return is_answered and not self._ended.is_set()

    async def _end_politely(self) -> None:
        if text := str(self.call.settings.assistant.get("endCallMessage") or ""):
            await self._say(text, is_verbatim=True, may_be_interrupted=False)
        self.end("assistant-ended-call")

    async def _run_functions(self, calls: Mapping[str, FunctionCall]) -> bool:
        """Returns whether the model speaks next: a message of a tool is spoken in its place."""
        running = asyncio.ensure_future(self._tools.run(calls))
        try:
            await self._say_meanwhile(next(iter(calls.values())).name, running)
            outcomes = await running
        finally:
            running.cancel()
        for call_id, outcome in outcomes.items():
            self.call.transcript.add_tool_result(
                call_id, calls[call_id].name, outcome.result, is_error=outcome.is_error
            )
        self._update_conversation()
        spoken = [outcome.message for outcome in outcomes.values() if outcome.message]
        if spoken:
            await self._say(" ".join(spoken))
        return not spoken

    async def _say_meanwhile(self, name: str, running: asyncio.Future[Any]) -> None:
        """The messages of a tool for the time in which it runs."""
        if text := self._tools.said_at_start(name):
            await self._say(text, is_verbatim=True)
        text, after_s = self._tools.said_when_delayed(name)
        if text and not (await asyncio.wait([running], timeout=after_s))[0]:
            await self._say(text, is_verbatim=True)

    # control

    def _add_message(self, message: Mapping[str, Any]) -> None:
        given = message["message"]
        self.call.transcript.add_text(str(given["role"]), str(given.get("content") or ""))
        self._update_conversation()
        if message.get("triggerResponseEnabled", True):
            if self._speaker.can_be_interrupted:
                self._speaker.stop()
            self._respond()

    def _steer(self, what: str) -> None:
        if what == "say-first-message":
            self._spawn(self._say_injected({"content": self.call.settings.first_message}))
        elif what.endswith("-assistant"):
            self._speaker.is_muted = what.startswith("mute")
            if self._speaker.is_muted:
                self._speaker.stop()
        else:
            self._ear.is_muted = what.startswith("mute")

    async def _ask_destination(self, definition: Mapping[str, Any]) -> None:
        destinations = definition.get("destinations") or []
        if destinations:
            await self._transfer(dict(destinations[0]), str(destinations[0].get("message") or ""))
            return
        response = await self._server.ask("transfer-destination-request")
        destination = (response or {}).get("destination")
        if not isinstance(destination, dict):
            error = (response or {}).get("error")
            await self._say(str(error or "I am sorry, I cannot transfer you right now."), is_verbatim=True)
            return
        spoken = (response or {}).get("message")
        text = spoken.get("content") or spoken.get("message") if isinstance(spoken, dict) else spoken
        await self._transfer(destination, str(text or destination.get("message") or ""))

    async def _transfer(self, destination: dict[str, Any], content: str) -> None:
        """A websocket call has no telephone leg: the client is told the destination, and the call ends."""
        if content:
            await self._say(content, is_verbatim=True, may_be_interrupted=False)
        self.call.destination = destination
        self.call.set_status("forwarding")
        self._emit("transfer-update", destination=destination)
        self._emit("status-update", status="forwarding", destination=destination)
        self._server.report("phone-call-control", request="forward", destination=destination)
        self.end(_TRANSFERRED)

    # reports

    def _emit(self, kind: str, **fields: Any) -> None:
        """Tell the client and the server, as far as they subscribe to it."""
        if kind != "tool-calls":  # the server gets these as requests, from the runner of tools
            self._server.report(kind, **fields)
        self._socket.event(kind, **fields)

    def _update_conversation(self) -> None:
        transcript = self.call.transcript
        self._emit("conversation-update", messages=transcript.messages, messagesOpenAIFormatted=transcript.formatted)

    async def _finish(self) -> None:
        call = self.call
        call.finish(call.ended_reason or "customer-ended-call")
        self._emit("status-update", status="ended", endedReason=call.ended_reason)
        if "no_report" not in call.faults:
            if "report_first" in call.faults:
                await self._server.send_report(call.report())
            self._socket.event("end-of-call-report", **call.report())
        self._socket.close(1000)

    def report(self) -> None:
        """Send the end-of-call report to the server, after the socket is closed."""
        if not {"no_report", "report_first"} & set(self.call.faults.chosen):
            self._server.report("end-of-call-report", **self.call.report())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _cancel_tasks(self) -> None:
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

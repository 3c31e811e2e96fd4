"""A call on its socket: the assistant speaks, hears, is interrupted and controlled, and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from voiceapp.simulators.model.voice_model import VoiceModel
from voiceapp.simulators.vapi.call import VapiCall
from voiceapp.simulators.vapi.client_socket import ClientSocket
from voiceapp.simulators.vapi.ear import Ear, length_ms
from voiceapp.simulators.vapi.reports import CallReports
from voiceapp.simulators.vapi.responses import Responses
from voiceapp.simulators.vapi.server_messages import ServerMessages
from voiceapp.simulators.vapi.speaker import Speaker
from voiceapp.simulators.vapi.tools import ToolRunner


class LiveCall:
    """`run` returns when the call is over; `receive_audio` and `control` take what the client sends."""

    def __init__(self, call: VapiCall, socket: ClientSocket, model: VoiceModel, server: ServerMessages) -> None:
        self.call, self._model, self._server = call, model, server
        settings, faults = call.settings, call.faults
        self.reports = CallReports(call, socket, server)
        self._emit = self.reports.emit
        self._speaker = Speaker(
            model, call.audio_format, voice=settings.voice, emit=self._emit, send=socket.audio,
            is_chirping="deaf" in faults, pace=faults.number("hasty", 1), played=self._played,
        )  # fmt: skip
        self._ear = Ear(call.audio_format, pause_ms=settings.pause_ms, on_speech=self._on_speech, on_turn=self._on_turn,
                        heard=self._heard)  # fmt: skip
        tools = ToolRunner(
            settings.tools, server_of=server.of_tool, webhooks=server.webhooks, faults=faults,
            describe=server.describe, emit=self._emit,
        )  # fmt: skip
        self._responses = Responses(
            call, model, tools, self.reports, say=self._say, use_own_tool=self._use_own_tool, spawn=self._spawn
        )
        self._tasks: set[asyncio.Task[None]] = set()
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
            call.finish(call.ended_reason or "customer-ended-call")
            await self.reports.ending()

    def end(self, reason: str) -> None:
        """End the call; the first reason counts."""
        if not self._ended.is_set():
            self.call.ended_reason = reason
            self._ended.set()

    def receive_audio(self, raw: bytes) -> None:
        if not self._ended.is_set():
            self._ear.receive(raw)

    def _heard(self, pcm_8k: bytes) -> None:
        if self.call.audio is not None:
            self.call.audio.hear(pcm_8k)

    def _played(self, pcm_8k: bytes, began_s: float) -> None:
        if self.call.audio is not None:
            self.call.audio.speak(pcm_8k, began_s=began_s)

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
            self._responses.respond()
        elif settings.first_message_mode == "assistant-speaks-first" and settings.first_message:
            self._responses.begin_with(self._say_first_message())

    async def _say_first_message(self) -> None:
        settings = self.call.settings
        may_be_interrupted = bool(settings.assistant.get("firstMessageInterruptionsEnabled", False))
        await self._say(settings.first_message, is_verbatim=True, may_be_interrupted=may_be_interrupted)

    async def _say(self, text: str, *, is_verbatim: bool = False, may_be_interrupted: bool = True) -> bool:
        """Speak, and write down what was heard. Returns False if the caller interrupted."""
        spoken = await self._speaker.say(text, may_be_interrupted=may_be_interrupted)
        self._speaker.turn += 1
        self.call.transcript.add_agent(spoken.text, is_verbatim=is_verbatim, duration_ms=spoken.duration_ms)
        self.reports.conversation()
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
        self._emit("user-interrupted", turnId=self._responses.turn_id)

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
        self.reports.conversation()
        self._responses.respond()

    # control

    def _add_message(self, message: Mapping[str, Any]) -> None:
        given = message["message"]
        self.call.transcript.add_text(str(given["role"]), str(given.get("content") or ""))
        self.reports.conversation()
        if message.get("triggerResponseEnabled", True):
            if self._speaker.can_be_interrupted:
                self._speaker.stop()
            self._responses.respond()

    def _steer(self, what: str) -> None:
        if what == "say-first-message":
            self._spawn(self._say_injected({"content": self.call.settings.first_message}))
        elif what.endswith("-assistant"):
            self._speaker.is_muted = what.startswith("mute")
            if self._speaker.is_muted:
                self._speaker.stop()
        else:
            self._ear.is_muted = what.startswith("mute")

    async def _use_own_tool(self, kind: str, definition: Mapping[str, Any]) -> None:
        """VAPI's `endCall` and `transferCall`."""
        if kind == "transferCall":
            await self._ask_destination(definition)
            return
        if text := str(self.call.settings.assistant.get("endCallMessage") or ""):
            await self._say(text, is_verbatim=True, may_be_interrupted=False)
        self.end("assistant-ended-call")

    async def _ask_destination(self, definition: Mapping[str, Any]) -> None:
        destinations = definition.get("destinations") or []
        if destinations:
            await self._transfer(dict(destinations[0]), str(destinations[0].get("message") or ""))
            return
        response = await self._server.request("transfer-destination-request")
        destination = (response or {}).get("destination")
        if not isinstance(destination, dict):
            error = (response or {}).get("error")
            await self._say(str(error or "I am sorry, I cannot transfer you right now."), is_verbatim=True)
            return
        spoken = (response or {}).get("message")
        text = spoken.get("content") or spoken.get("message") if isinstance(spoken, dict) else spoken
        await self._transfer(destination, str(text or destination.get("message") or ""))

    async def _transfer(self, destination: dict[str, Any], content: str) -> None:
        """A websocket call has no telephone leg: the client gets the destination, and the call ends."""
        if content:
            await self._say(content, is_verbatim=True, may_be_interrupted=False)
        self.call.destination = destination
        self.call.set_status("forwarding")
        self._emit("transfer-update", destination=destination)
        self._emit("status-update", status="forwarding", destination=destination)
        self._server.report("phone-call-control", request="forward", destination=destination)
        self.end("assistant-forwarded-call")

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

"""The responses of a session: one at a time in the conversation, with the faults that spoil them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any

from voiceapp.simulators.model.agent.outputs import Speech
from voiceapp.simulators.model.conversation import ModelBrief
from voiceapp.simulators.openai.input_audio import InputAudio
from voiceapp.simulators.openai.items import conversation_of
from voiceapp.simulators.openai.response import ModelResponse
from voiceapp.simulators.openai.schema import InvalidRequest
from voiceapp.simulators.openai.session_state import SessionState, merged
from voiceapp.simulators.openai.usage import TokenMeter

_VERBATIM = re.compile(r'Say exactly:\s*"(.*)"', re.DOTALL)
_RATE_LIMIT = {
    "type": "requests", "code": "rate_limit_exceeded",
    "message": "Rate limit reached for gpt-realtime on requests per min (RPM): Limit 3. Please try again in ",
}  # fmt: skip
_FAILURE = {"type": "server_error", "code": "server_error", "message": "The server had an error while responding."}
_SENTENCE = "I am sorry, what was that?"
_HALF_SENTENCE = "We have pizza and"


class Responses:
    """`ahead`: how many times faster than real time audio is sent. `on_end` is called with each finished response."""

    def __init__(
        self, state: SessionState, audio: InputAudio, *, ahead: float, on_end: Callable[[ModelResponse], None]
    ) -> None:
        self._state, self._audio, self._ahead, self._on_end = state, audio, ahead, on_end
        self._script, self._meter = state.faults.script(), TokenMeter()
        self._active: ModelResponse | None = None
        self._active_task: asyncio.Task[None] | None = None
        self._beside: dict[str, tuple[ModelResponse, asyncio.Task[None]]] = {}  # those outside of the conversation
        self._has_failed = self._has_ended_badly = False
        self._limited_until_s: float | None = None
        self.has_spoken = False

    @property
    def is_active(self) -> bool:
        return self._active is not None

    def create(self, event: dict[str, Any]) -> None:
        request = event.get("response") or {}
        if request.get("conversation") == "none":
            response = self._begin(request)
            task = self._state.spawn(self._run(response, request))
            self._beside[response.id] = (response, task)
            task.add_done_callback(lambda _: self._beside.pop(response.id, None))
            return
        self._require_no_active()
        self.respond(request)

    def cancel(self, event: dict[str, Any]) -> None:
        wanted = event.get("response_id")
        if wanted in self._beside:
            response, task = self._beside[wanted]
            response.finish("cancelled", {"reason": "client_cancelled"})
            task.cancel()
            return
        if self._active is None or (wanted is not None and wanted != self._active.id):
            raise InvalidRequest("response_cancel_not_active", "Cancellation failed: no active response found")
        self.stop_active("client_cancelled")

    def respond(self, request: dict[str, Any] | None = None) -> None:
        """Begin a response in the conversation. While another one is active, the client gets an error event."""
        if "silent" in self._state.faults:
            return
        try:
            self._require_no_active()
        except InvalidRequest as exc:
            self._state.sender.error(exc.code, exc.message)
            return
        if not self._has_ended_badly and self._state.faults.chosen.get("ends") == "unborn":
            self._has_ended_badly = True
            return
        self._active = self._begin(request or {})
        self._active_task = self._state.spawn(self._run(self._active, request or {}))

    def stop_active(self, reason: str) -> None:
        if self._active is None:
            return
        response = self._active
        response.finish("cancelled", {"reason": reason})
        if self._active_task is not None:
            self._active_task.cancel()
        self._end(response)

    def _require_no_active(self) -> None:
        if self._active is not None:
            message = f"Conversation already has an active response in progress: {self._active.id}. Wait until the response is finished before creating a new one."  # noqa: E501 - theirs
            raise InvalidRequest("conversation_already_has_active_response", message)

    def _begin(self, request: dict[str, Any]) -> ModelResponse:
        state = self._state
        # Null, as livekit-agents sends it, is what the session has.
        overrides = {name: value for name, value in request.items() if name in state.session and value is not None}
        context = None
        if "input" in request:
            context = [state.items.referred(sent) for sent in request["input"]]
        response = ModelResponse(
            sender=state.sender, session=merged(state.session, overrides), conversation=state.items,
            meter=self._meter, synthesize=self._synthesize, ahead=self._ahead, ids=state.ids,
            request=request, context=context,
        )  # fmt: skip
        response.begin()
        return response

    async def _synthesize(self, sentence: str, voice: str, speed: float) -> bytes:
        self.has_spoken = True
        if "deaf" in self._state.faults:
            return self._state.model.chirp()
        return await self._state.model.synthesize(sentence, voice, speed)

    async def _run(self, response: ModelResponse, request: dict[str, Any]) -> None:
        faults = self._state.faults
        await faults.delay_response()
        if self._must_fail():
            response.finish("failed", {"error": _FAILURE})
        elif wait_s := self._remaining_limit_s():
            response.finish("failed", {"error": {**_RATE_LIMIT, "message": f"{_RATE_LIMIT['message']}{wait_s:.3f}s."}})
        elif "ends" in faults and not self._has_ended_badly:
            self._has_ended_badly = True
            if not await end_badly(response, faults.chosen["ends"]):
                return
        elif verbatim := _VERBATIM.search(request.get("instructions") or ""):
            await response.deliver([Speech(verbatim[1], is_verbatim=True)])
        elif self._script:
            await response.deliver(self._script.pop(0))
        elif "deaf" in faults:
            await response.deliver([Speech("(chirp)")])
        else:
            await self._audio.wait_for_transcripts()
            items = response.context if response.context is not None else self._state.items.items
            brief = ModelBrief.of(response.session["instructions"], response.session["tools"])
            await response.deliver(self._state.model.decide(brief, conversation_of(items)))
        self._end(response)

    def _must_fail(self) -> bool:
        faults = self._state.faults
        if "fail_response" not in faults or (self._has_failed and faults.chosen["fail_response"] == "once"):
            return False
        self._has_failed = True
        return True

    def _remaining_limit_s(self) -> float:
        """The rest of the time in which all responses fail by a rate limit."""
        if "limited" not in self._state.faults:
            return 0.0
        now_s = time.monotonic()
        if self._limited_until_s is None:
            self._limited_until_s = now_s + self._state.faults.number("limited") / 1000
        return max(0.0, self._limited_until_s - now_s)

    def _end(self, response: ModelResponse) -> None:
        self._audio.send_transcripts()
        if response is self._active:
            self._active = None
            self._on_end(response)


async def end_badly(response: ModelResponse, how: str) -> bool:
    """End a response without speech, as the fault `ends` wants it. Returns False if it never ends."""
    match how:
        case "text":
            response.session = {**response.session, "output_modalities": ["text"]}
            await response.deliver([Speech(_SENTENCE)])
        case "mute":
            await response.send_empty_audio()
        case "cut":
            await response.speak_unfinished(_HALF_SENTENCE)
            response.finish("incomplete", {"reason": "max_output_tokens"})
        case "filtered":
            await response.speak_unfinished(_HALF_SENTENCE)
            response.finish("incomplete", {"reason": "content_filter"})
        case "cancelled":
            response.finish("cancelled", {"reason": "client_cancelled"})
        case "odd":
            response.finish("expired")
        case "never":
            await response.speak_unfinished(_HALF_SENTENCE)
            return False
        case _:
            response.finish("completed")
    return True

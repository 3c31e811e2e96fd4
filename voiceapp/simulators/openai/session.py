"""One session: client events in, the caller's turns, responses one at a time."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from voiceapp.simulators.openai.audio_buffer import AudioBuffer
from voiceapp.simulators.openai.bad_endings import end_badly
from voiceapp.simulators.openai.conversation import Conversation, Item, item_from_client
from voiceapp.simulators.openai.faults import Faults
from voiceapp.simulators.openai.formats import AudioFormat, Listener
from voiceapp.simulators.openai.ids import Ids, new_id
from voiceapp.simulators.openai.mind import Mind
from voiceapp.simulators.openai.outbox import Outbox
from voiceapp.simulators.openai.parts import Speak
from voiceapp.simulators.openai.response import Response
from voiceapp.simulators.openai.schema import Refused
from voiceapp.simulators.openai.session_object import merged, new_session
from voiceapp.simulators.openai.usage import Meter, transcription_usage
from voiceapp.simulators.openai.vad import SpeechStarted, SpeechStopped, TurnDetection, VoiceActivity
from voiceapp.simulators.openai.validation import check_event, read_event

_VERBATIM = re.compile(r'Say exactly:\s*"(.*)"', re.DOTALL)
_LIMIT = {
    "type": "requests", "code": "rate_limit_exceeded",
    "message": "Rate limit reached for gpt-realtime on requests per min (RPM): Limit 3. Please try again in ",
}  # fmt: skip
_FAILURE = {"type": "server_error", "code": "server_error", "message": "The server had an error while responding."}


class Session:
    """Speaks through its outbox. `receive` never raises on what a client sends; `aclose` ends its tasks."""

    def __init__(
        self, outbox: Outbox, mind: Mind, *, model: str, faults: Faults, limit_s: float, ahead: float,
        settings: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self._outbox, self._mind, self._faults, self._ahead = outbox, mind, faults, ahead
        fresh = new_session(session_id=new_id("sess"), model=model, expires_at=int(time.time() + limit_s))
        self._session = merged(fresh, {**settings, "model": model})
        self._ids, self._script = Ids(are_counted="count_ids" in faults), faults.script()
        self._conversation, self._meter, self._buffer = Conversation(), Meter(), AudioBuffer()
        self._tasks: set[asyncio.Task[None]] = set()
        self._hearings: dict[str, asyncio.Task[None]] = {}
        self._late: list[tuple[str, dict[str, Any]]] = []
        self._active: Response | None = None
        self._active_task: asyncio.Task[None] | None = None
        self._has_failed = self._has_spoken = self._has_ended = False
        self._limited_until: float | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._turn_start_ms, self._turn_item_id = 0, ""
        self._take_up_audio_settings()
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._create_item,
            "conversation.item.truncate": self._truncate_item,
            "conversation.item.delete": self._delete_item,
            "conversation.item.retrieve": self._retrieve_item,
            "response.create": self._create_response,
            "response.cancel": self._cancel_response,
            "output_audio_buffer.clear": self._refuse_webrtc_only,
        }

    def open(self) -> None:
        self._outbox.send("session.created", session=self._session)
        self._outbox.send("conversation.created", conversation={
            "id": self._conversation.id, "object": "realtime.conversation",
        })  # fmt: skip

    def receive(self, raw: str) -> None:
        event_id = None
        try:
            event = read_event(raw)
            event_id = event.get("event_id") if isinstance(event.get("event_id"), str) else None
            check_event(event)
            self._handlers[event["type"]](event)
        except Refused as refused:
            self._outbox.error(refused.code, refused.message, param=refused.param, event_id=event_id)

    async def aclose(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # The session

    def _update(self, event: dict[str, Any]) -> None:
        changes = event["session"]
        if changes.get("model", self._session["model"]) != self._session["model"]:
            raise Refused("invalid_value", "The model of a session cannot be changed.", "session.model")
        voice = self._session["audio"]["output"]["voice"]
        if self._has_spoken and changes.get("audio", {}).get("output", {}).get("voice", voice) != voice:
            message = "Cannot update a conversation's voice if assistant audio is present."
            raise Refused("cannot_update_voice", message, "session.audio.output.voice")
        before = self._session["audio"]["input"]
        self._session = merged(self._session, changes)
        if self._session["audio"]["input"] != before:
            self._take_up_audio_settings()
        self._outbox.send("session.updated", session=self._session)
        self._mind.study(self._session)
        if "error_event" in self._faults:
            code = self._faults.chosen["error_event"]
            self._outbox.error(code, f"The server says {code}.", kind="server_error")

    def _take_up_audio_settings(self) -> None:
        settings = self._session["audio"]["input"]
        self._listener = Listener(AudioFormat.of(settings["format"]))
        self._turns = TurnDetection.of(settings["turn_detection"])
        self._activity = VoiceActivity(self._turns, now_ms=self._buffer.end_ms) if self._turns else None

    # The caller's audio

    def _append(self, event: dict[str, Any]) -> None:
        try:
            raw = base64.b64decode(event["audio"], validate=True)
        except (binascii.Error, ValueError) as exc:
            message = "Invalid 'audio'. Expected base64-encoded audio bytes."
            raise Refused("invalid_value", message, "audio") from exc
        sound = self._listener.decode(raw)
        self._buffer.append(sound)
        if self._activity is None:
            return
        for change in self._activity.hear(sound):
            if isinstance(change, SpeechStarted):
                self._speech_started(change)
            else:
                self._speech_stopped(change)
        if not self._activity.is_speaking:
            self._buffer.forget_the_past()

    def _speech_started(self, change: SpeechStarted) -> None:
        self._rest_idle()
        self._turn_start_ms, self._turn_item_id = change.start_ms, self._ids.new("item")
        self._outbox.send(
            "input_audio_buffer.speech_started", audio_start_ms=change.start_ms, item_id=self._turn_item_id
        )
        interrupts = self._turns is not None and self._turns.interrupt_response
        if interrupts and "no_interrupt" not in self._faults:
            self._end_active("cancelled", {"reason": "turn_detected"})

    def _speech_stopped(self, change: SpeechStopped) -> None:
        self._outbox.send("input_audio_buffer.speech_stopped", audio_end_ms=change.end_ms, item_id=self._turn_item_id)
        self._make_turn(self._buffer.take(self._turn_start_ms, change.end_ms), self._turn_item_id)
        if self._turns is not None and self._turns.create_response:
            self._answer()

    def _commit(self, event: dict[str, Any]) -> None:
        if self._buffer.waiting_ms < 100:
            have = f"{self._buffer.waiting_ms:.2f}ms"
            message = f"Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has {have} of audio."  # noqa: E501 - theirs
            raise Refused("input_audio_buffer_commit_empty", message)
        self._make_turn(self._buffer.take_all(), self._ids.new("item"))
        self._restart_activity()

    def _clear(self, event: dict[str, Any]) -> None:
        self._buffer.clear()
        self._restart_activity()
        self._outbox.send("input_audio_buffer.cleared")

    def _restart_activity(self) -> None:
        if self._turns is not None:
            self._activity = VoiceActivity(self._turns, now_ms=self._buffer.end_ms)

    def _make_turn(self, pcm_8k: bytes, item_id: str) -> Item:
        content = [{"type": "input_audio", "transcript": None}]
        wire = {
            "id": item_id, "object": "realtime.item", "type": "message", "status": "completed", "role": "user",
            "content": content,
        }  # fmt: skip
        item = Item(item_id, wire, audio_ms=len(pcm_8k) // 16)
        before = self._conversation.add(item)
        self._outbox.send("input_audio_buffer.committed", previous_item_id=before, item_id=item_id)
        self._outbox.send("conversation.item.added", previous_item_id=before, item=wire)
        self._outbox.send("conversation.item.done", previous_item_id=before, item=wire)
        self._hearings[item_id] = self._spawn(self._hear(item, pcm_8k))
        return item

    async def _hear(self, item: Item, pcm_8k: bytes) -> None:
        deaf = "deaf" in self._faults or not pcm_8k
        item.heard = "" if deaf else await self._mind.hear(pcm_8k, self._session)
        transcript = self._mind.transcript(item.heard)
        item.wire["content"][0]["transcript"] = transcript
        if self._session["audio"]["input"]["transcription"] is not None:
            usage = transcription_usage(item.audio_ms)
            said = {"item_id": item.id, "content_index": 0}
            news: list[tuple[str, dict[str, Any]]] = [("delta", {**said, "delta": transcript})] if transcript else []
            news.append(("completed", {**said, "transcript": transcript, "usage": usage}))
            self._late += news
            if "late_transcripts" not in self._faults:
                self._tell_transcripts()
        self._hearings.pop(item.id, None)

    def _tell_transcripts(self) -> None:
        late, self._late = self._late, []
        for kind, fields in late:
            self._outbox.send(f"conversation.item.input_audio_transcription.{kind}", **fields)

    # Items

    def _create_item(self, event: dict[str, Any]) -> None:
        sent = event["item"]
        if sent["type"] == "function_call_output":
            self._require_call(sent["call_id"])
        item = item_from_client(sent)
        before = self._conversation.add(item, after=event.get("previous_item_id"))
        self._outbox.send("conversation.item.added", previous_item_id=before, item=item.wire)
        self._outbox.send("conversation.item.done", previous_item_id=before, item=item.wire)

    def _require_call(self, call_id: str) -> None:
        known = (item.wire.get("call_id") for item in self._conversation.items if item.kind == "function_call")
        if call_id not in known:
            message = f"Tool call ID '{call_id}' not found in conversation."
            raise Refused("invalid_tool_call_id", message, "item.call_id")

    def _truncate_item(self, event: dict[str, Any]) -> None:
        place = {key: event[key] for key in ("item_id", "content_index", "audio_end_ms")}
        item_id = place.pop("item_id")
        self._conversation.truncate(item_id, **place)
        self._outbox.send("conversation.item.truncated", item_id=item_id, **place)

    def _delete_item(self, event: dict[str, Any]) -> None:
        self._conversation.remove(event["item_id"])
        self._outbox.send("conversation.item.deleted", item_id=event["item_id"])

    def _retrieve_item(self, event: dict[str, Any]) -> None:
        item = self._conversation.retrieve(event["item_id"])
        self._outbox.send("conversation.item.retrieved", item=item.wire)

    # Responses

    def _create_response(self, event: dict[str, Any]) -> None:
        request = event.get("response") or {}
        if request.get("conversation") == "none":
            self._spawn(self._respond(self._response(request), request))
            return
        self._require_no_active()
        self._answer(request)

    def _require_no_active(self) -> None:
        if self._active is not None:
            message = f"Conversation already has an active response in progress: {self._active.id}. Wait until the response is finished before creating a new one."  # noqa: E501 - theirs
            raise Refused("conversation_already_has_active_response", message)

    def _cancel_response(self, event: dict[str, Any]) -> None:
        wanted = event.get("response_id")
        if self._active is None or (wanted is not None and wanted != self._active.id):
            raise Refused("response_cancel_not_active", "Cancellation failed: no active response found")
        self._end_active("cancelled", {"reason": "client_cancelled"})

    def _refuse_webrtc_only(self, event: dict[str, Any]) -> None:
        raise Refused("invalid_value", "'output_audio_buffer.clear' is for WebRTC and SIP connections only.", "type")

    def _answer(self, request: dict[str, Any] | None = None) -> None:
        """Begin the one response of the conversation; the caller's turn during another one fails as OpenAI's does."""
        self._rest_idle()
        if "silent" in self._faults:
            return
        try:
            self._require_no_active()
        except Refused as refused:
            self._outbox.error(refused.code, refused.message)
            return
        if self._ends("unborn"):
            self._has_ended = True
            return
        self._active = self._response(request or {})
        self._active_task = self._spawn(self._respond(self._active, request or {}))

    def _response(self, request: dict[str, Any]) -> Response:
        overrides = {name: value for name, value in request.items() if name in self._session}
        context = None
        if "input" in request:
            context = [self._conversation.referred(sent) for sent in request["input"]]
        response = Response(
            outbox=self._outbox, session=merged(self._session, overrides), conversation=self._conversation,
            meter=self._meter, voice=self._voice, ahead=self._ahead, ids=self._ids,
            request=request, context=context,
        )  # fmt: skip
        response.begin()
        return response

    async def _voice(self, sentence: str, voice: str, speed: float) -> bytes:
        self._has_spoken = True
        if "deaf" in self._faults:
            return self._mind.chirp()
        return await self._mind.speak(sentence, voice, speed)

    async def _respond(self, response: Response, request: dict[str, Any]) -> None:
        await self._faults.delay_response()
        if self._fails():
            response.finish("failed", {"error": _FAILURE})
        elif wait_s := self._wait_s():
            response.finish("failed", {"error": {**_LIMIT, "message": f"{_LIMIT['message']}{wait_s:.3f}s."}})
        elif "ends" in self._faults and not self._has_ended:
            self._has_ended = True
            if not await end_badly(response, self._faults.chosen["ends"]):
                return
        elif verbatim := _VERBATIM.search(request.get("instructions") or ""):
            await response.deliver([Speak(verbatim[1], is_verbatim=True)])
        elif self._script:
            await response.deliver(self._script.pop(0))
        elif "deaf" in self._faults:
            await response.deliver([Speak("(chirp)")])
        else:
            if self._hearings:
                await asyncio.wait(self._hearings.values())
            items = response.context if response.context is not None else self._conversation.items
            await response.deliver(self._mind.think(response.session, items))
        self._response_over(response)

    def _fails(self) -> bool:
        if "fail_response" not in self._faults or (self._has_failed and self._faults.chosen["fail_response"] == "once"):
            return False
        self._has_failed = True
        return True

    def _ends(self, how: str) -> bool:
        return not self._has_ended and self._faults.chosen.get("ends") == how

    def _wait_s(self) -> float:
        """What is left of the time in which everything is refused by a rate limit."""
        if "limited" not in self._faults:
            return 0.0
        now = time.monotonic()
        if self._limited_until is None:
            self._limited_until = now + self._faults.number("limited") / 1000
        return max(0.0, self._limited_until - now)

    def _end_active(self, status: str, details: dict[str, Any]) -> None:
        if self._active is None:
            return
        response = self._active
        response.finish(status, details)
        if self._active_task is not None:
            self._active_task.cancel()
        self._response_over(response)

    def _response_over(self, response: Response) -> None:
        self._tell_transcripts()
        if response is not self._active:
            return
        self._active = None
        if self._turns is not None and self._turns.idle_timeout_ms is not None and response.status == "completed":
            wait_s = (response.unplayed_ms + self._turns.idle_timeout_ms) / 1000
            self._idle = asyncio.get_running_loop().call_later(wait_s, self._idle_too_long)

    def _rest_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _idle_too_long(self) -> None:
        self._idle = None
        if self._active is not None or (self._activity is not None and self._activity.is_speaking):
            return
        item_id, end_ms = self._ids.new("item"), self._buffer.end_ms
        self._outbox.send(
            "input_audio_buffer.timeout_triggered", audio_start_ms=end_ms, audio_end_ms=end_ms, item_id=item_id
        )
        self._make_turn(b"", item_id)
        self._answer()

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

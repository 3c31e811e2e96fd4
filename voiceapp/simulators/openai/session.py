"""One session: it dispatches client events to the caller's audio, the items and the responses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from voiceapp.simulators.model.voice_model import VoiceModel
from voiceapp.simulators.openai.event_sender import EventSender
from voiceapp.simulators.openai.faults import OpenAIFaults
from voiceapp.simulators.openai.ids import IdSource, new_id
from voiceapp.simulators.openai.input_audio import InputAudio
from voiceapp.simulators.openai.items import item_from_client
from voiceapp.simulators.openai.response import ModelResponse
from voiceapp.simulators.openai.responses import Responses
from voiceapp.simulators.openai.schema import InvalidRequest
from voiceapp.simulators.openai.session_state import SessionState, merged, new_session
from voiceapp.simulators.openai.validation import check_event, read_event
from voiceapp.simulators.openai.webrtc.playout import Playout


class RealtimeSession:
    """`receive` never raises, whatever a client sends; `aclose` cancels the tasks.

    `playout`: that of a WebRTC call, whose audio has the format of the call whatever the session says.
    """

    def __init__(
        self, sender: EventSender, voice_model: VoiceModel, *, model: str, faults: OpenAIFaults, limit_s: float,
        ahead: float, settings: Mapping[str, Any], playout: Playout | None = None,
    ) -> None:  # fmt: skip
        fresh = new_session(session_id=new_id("sess"), model=model, expires_at=int(time.time() + limit_s))
        self._playout, self._limit_s = playout, limit_s
        session = merged(fresh, self._allowed({**settings, "model": model}))
        ids = IdSource(are_counted="count_ids" in faults)
        self._state = SessionState(sender, voice_model, faults, ids, session)
        self._sender, self._items = sender, self._state.items
        self._audio = InputAudio(self._state, on_speech=self._on_speech, on_turn=self._on_turn)
        self._responses = Responses(self._state, self._audio, ahead=ahead, on_end=self._start_idle_timer)
        self._idle_timer: asyncio.TimerHandle | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._audio.append,
            "input_audio_buffer.commit": self._audio.commit,
            "input_audio_buffer.clear": self._audio.clear,
            "conversation.item.create": self._create_item,
            "conversation.item.truncate": self._truncate_item,
            "conversation.item.delete": self._delete_item,
            "conversation.item.retrieve": self._retrieve_item,
            "response.create": self._create_response,
            "response.cancel": self._responses.cancel,
            "output_audio_buffer.clear": self._clear_playout,
        }

    def open(self) -> None:
        self.start()
        self.describe(self._sender)

    def start(self) -> None:
        """From now on its length is limited."""
        length = f"{self._limit_s / 60:g} minutes" if self._limit_s >= 60 else f"{self._limit_s:g} seconds"
        self._limit = asyncio.get_running_loop().call_later(
            self._limit_s, self._sender.close, 1001, f"Your session hit the maximum duration of {length}."
        )

    def describe(self, sender: EventSender) -> None:
        """What a client learns first."""
        sender.send("session.created", session=self._state.session)
        conversation = {"id": self._items.id, "object": "realtime.conversation"}
        sender.send("conversation.created", conversation=conversation)

    def append_audio(self, raw: bytes) -> None:
        """Audio of the caller in the format of the session."""
        self._audio.append_bytes(raw)

    def receive(self, raw: str) -> None:
        event_id = None
        try:
            event = read_event(raw)
            event_id = event.get("event_id") if isinstance(event.get("event_id"), str) else None
            check_event(event)
            self._handlers[event["type"]](event)
        except InvalidRequest as exc:
            self._sender.error(exc.code, exc.message, param=exc.param, event_id=event_id)

    async def aclose(self) -> None:
        self._stop_idle_timer()
        if self._limit is not None:
            self._limit.cancel()
        await self._state.cancel_tasks()

    def _update(self, event: dict[str, Any]) -> None:
        changes, session = self._allowed(event["session"]), self._state.session
        if changes.get("model", session["model"]) != session["model"]:
            raise InvalidRequest("invalid_value", "The model of a session cannot be changed.", "session.model")
        voice = session["audio"]["output"]["voice"]
        if self._responses.has_spoken and changes.get("audio", {}).get("output", {}).get("voice", voice) != voice:
            message = "Cannot update a conversation's voice if assistant audio is present."
            raise InvalidRequest("cannot_update_voice", message, "session.audio.output.voice")
        self._state.session = merged(session, changes)
        if self._state.session["audio"]["input"] != session["audio"]["input"]:
            self._audio.configure()
        self._sender.send("session.updated", session=self._state.session)
        self._state.model.prepare(self._state.session["instructions"])
        if "error_event" in self._state.faults:
            code = self._state.faults.chosen["error_event"]
            self._sender.error(code, f"The server says {code}.", kind="server_error")

    # turns of the caller

    def _on_speech(self) -> None:
        self._stop_idle_timer()
        turns = self._audio.turn_detection
        if turns is not None and turns.interrupt_response and "no_interrupt" not in self._state.faults:
            self._responses.stop_active("turn_detected")
            self._cut_playout()

    def _on_turn(self) -> None:
        turns = self._audio.turn_detection
        if turns is not None and turns.create_response:
            self._respond()

    def _respond(self) -> None:
        self._stop_idle_timer()
        self._responses.respond()

    def _create_response(self, event: dict[str, Any]) -> None:
        if (event.get("response") or {}).get("conversation") != "none" and not self._responses.is_active:
            self._stop_idle_timer()
        self._responses.create(event)

    def _start_idle_timer(self, response: ModelResponse) -> None:
        turns = self._audio.turn_detection
        if turns is not None and turns.idle_timeout_ms is not None and response.status == "completed":
            wait_s = (response.unplayed_ms + turns.idle_timeout_ms) / 1000
            self._idle_timer = asyncio.get_running_loop().call_later(wait_s, self._on_idle_timeout)

    def _stop_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _on_idle_timeout(self) -> None:
        self._idle_timer = None
        if self._responses.is_active or self._audio.is_speaking:
            return
        item_id, end_ms = self._state.ids.new("item"), self._audio.end_ms
        self._sender.send(
            "input_audio_buffer.timeout_triggered", audio_start_ms=end_ms, audio_end_ms=end_ms, item_id=item_id
        )
        self._audio.add_turn(b"", item_id)
        self._respond()

    # items

    def _create_item(self, event: dict[str, Any]) -> None:
        sent = event["item"]
        if sent["type"] == "function_call_output":
            self._items.require_call(sent["call_id"])
        item = item_from_client(sent)
        self._state.send_item(item, self._items.add(item, after=event.get("previous_item_id")))

    def _truncate_item(self, event: dict[str, Any]) -> None:
        place = {key: event[key] for key in ("item_id", "content_index", "audio_end_ms")}
        item_id = place.pop("item_id")
        self._items.truncate(item_id, **place)
        self._sender.send("conversation.item.truncated", item_id=item_id, **place)

    def _delete_item(self, event: dict[str, Any]) -> None:
        self._items.remove(event["item_id"])
        self._sender.send("conversation.item.deleted", item_id=event["item_id"])

    def _retrieve_item(self, event: dict[str, Any]) -> None:
        item = self._items.retrieve(event["item_id"])
        self._sender.send("conversation.item.retrieved", item=item.wire)

    # WebRTC

    def _allowed(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The audio of a WebRTC call is what was negotiated: formats of the session do not apply."""
        allowed = dict(changes)
        if self._playout is not None and "audio" in allowed:
            sides = allowed["audio"].items()
            allowed["audio"] = {
                side: {name: value for name, value in fields.items() if name != "format"} for side, fields in sides
            }
        return allowed

    def _clear_playout(self, event: dict[str, Any]) -> None:
        if self._playout is None:
            message = "'output_audio_buffer.clear' is for WebRTC and SIP connections only."
            raise InvalidRequest("invalid_value", message, "type")
        self._responses.stop_active("client_cancelled")
        self._cut_playout()

    def _cut_playout(self) -> None:
        """Stop what the caller hears; each item that was not played to its end is truncated to what was."""
        for item_id, heard_ms in self._playout.clear() if self._playout is not None else ():
            if item_id in self._items:
                self._truncate_item({"item_id": item_id, "content_index": 0, "audio_end_ms": heard_ms})

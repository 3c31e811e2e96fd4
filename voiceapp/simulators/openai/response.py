"""One response of the model: its events in OpenAI's order, sent faster than real time (protocols.md, B6)."""

from __future__ import annotations

import asyncio
import base64
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from voiceapp.simulators.model.agent.outputs import FunctionCall, Output, Speech
from voiceapp.simulators.model.synthesis import sentences
from voiceapp.simulators.openai.audio_formats import AudioFormat
from voiceapp.simulators.openai.event_sender import EventSender
from voiceapp.simulators.openai.ids import IdSource
from voiceapp.simulators.openai.items import ConversationItem, ConversationItems
from voiceapp.simulators.openai.output_item import OutputItem
from voiceapp.simulators.openai.usage import OUTPUT_AUDIO_TOKENS_PER_S, TokenMeter

CHUNK_MS = 125  # like OpenAI's, not a multiple of a telephone frame
_RATE_LIMITS = [
    {"name": "requests", "limit": 5000, "remaining": 4999, "reset_seconds": 0.012},
    {"name": "tokens", "limit": 400000, "remaining": 395904, "reset_seconds": 0.614},
]

Synthesize = Callable[[str, str, float], Awaitable[bytes]]


@dataclass(slots=True)
class ModelResponse:
    """`session` is the session object with the overrides of this response; `finish` may be called at any await.

    `ids` are the session's; a response has call ids of its own.
    """

    sender: EventSender
    session: dict[str, Any]
    conversation: ConversationItems
    meter: TokenMeter
    synthesize: Synthesize
    ahead: float
    ids: IdSource
    request: dict[str, Any] = field(default_factory=dict)
    context: Sequence[ConversationItem] | None = None
    id: str = ""
    status: str = "in_progress"
    spoken_ms: int = 0
    _details: dict[str, Any] | None = None
    _usage: dict[str, Any] | None = None
    _items: list[ConversationItem] = field(default_factory=list)
    _open: OutputItem | None = None
    _written: list[str] = field(default_factory=list)
    _first_audio_at: float | None = None
    _call_ids: IdSource = field(default_factory=IdSource)

    def __post_init__(self) -> None:
        self.id = self.ids.new("resp")
        self._call_ids = IdSource(are_counted=self.ids.are_counted)

    @property
    def is_in_conversation(self) -> bool:
        return bool(self.request.get("conversation", "auto") != "none")

    @property
    def unplayed_ms(self) -> int:
        """How much of the audio a caller, who listens in real time, has not heard yet."""
        if self._first_audio_at is None:
            return 0
        played = (asyncio.get_running_loop().time() - self._first_audio_at) * 1000
        return max(0, self.spoken_ms - round(played))

    def begin(self) -> None:
        self.sender.send("response.created", response=self._wire())
        self.sender.send("rate_limits.updated", rate_limits=_RATE_LIMITS)

    async def deliver(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if isinstance(output, FunctionCall):
                await self._call(output)
            elif self.session["output_modalities"] == ["text"]:
                self._write(output)
            else:
                await self._speak(output)
            if self.status != "in_progress":
                return
        self.finish("completed")

    async def speak_unfinished(self, text: str) -> None:
        """Speak in an item that stays open until the response is finished."""
        output, audio = self._start_speech(), self.session["audio"]["output"]
        pcm = await self.synthesize(text, "marin", audio["speed"])
        await self._stream(output, text, pcm, AudioFormat.of(audio["format"]))

    async def send_empty_audio(self) -> None:
        """A message whose audio has no length."""
        self._start_speech().send("output_audio.delta", content_index=0, delta="")
        self._close("completed")
        self.finish("completed")

    def finish(self, status: str, details: dict[str, Any] | None = None) -> None:
        """Send `response.done`, once, with this status: completed, cancelled, incomplete or failed."""
        if self.status != "in_progress":
            return
        if self._open is not None:
            self._close("incomplete")
        self.status = status
        self._details = {"type": status, **details} if details is not None else None
        seen = [item for item in (self.context or self.conversation.items) if item not in self._items]
        self._usage = self.meter.usage(
            session=self.session, items=seen, spoken_ms=self.spoken_ms, written=" ".join(self._written)
        )
        self.sender.send("response.done", response=self._wire())

    # one output item

    def _start(self, wire: dict[str, Any], *, is_call: bool = False) -> OutputItem:
        item_id = self.ids.new("item")
        item = ConversationItem(item_id, {"id": item_id, "object": "realtime.item", **wire, "status": "in_progress"})
        is_text = self.session["output_modalities"] == ["text"]
        output = self._open = OutputItem(self.sender, self.id, item, len(self._items), is_call, is_text)
        self._items.append(item)
        self.sender.send("response.output_item.added", response_id=self.id, output_index=output.index, item=item.wire)
        if self.is_in_conversation:
            before = self.conversation.add(item)
            self.sender.send("conversation.item.added", previous_item_id=before, item=item.wire)
        return output

    def _close(self, status: str) -> None:
        output, self._open = self._open, None
        assert output is not None
        output.close(status)
        self._written.append(output.written)
        if self.is_in_conversation:
            before = self.conversation.id_before(output.item)
            self.sender.send("conversation.item.done", previous_item_id=before, item=output.item.wire)

    def _start_message(self, part: dict[str, Any], content: list[dict[str, Any]]) -> OutputItem:
        output = self._start({"type": "message", "role": "assistant", "content": []})
        output.item.wire["content"] = content
        output.send("content_part.added", content_index=0, part=part)
        return output

    def _start_speech(self) -> OutputItem:
        part = {"type": "audio", "transcript": ""}
        return self._start_message(part, [{"type": "output_audio", "transcript": ""}])

    # the kinds of output

    async def _call(self, call: FunctionCall) -> None:
        call_id = self._call_ids.new("call")
        wire = {"type": "function_call", "name": call.name, "call_id": call_id, "arguments": ""}
        output = self._start(wire, is_call=True)
        arguments = msgspec.json.encode(call.arguments).decode()
        for at in range(0, len(arguments), 12):
            output.write("function_call_arguments.delta", arguments[at : at + 12], call_id=call_id)
            await asyncio.sleep(0)
        self._close("completed")

    def _write(self, speech: Speech) -> None:
        output = self._start_message({"type": "text", "text": ""}, [])
        output.item.is_verbatim = speech.is_verbatim
        for word in _words(speech.text):
            output.write("output_text.delta", word, content_index=0)
        self._close("completed")

    async def _speak(self, speech: Speech) -> None:
        output, audio = self._start_speech(), self.session["audio"]["output"]
        output.item.is_verbatim = speech.is_verbatim
        voice = audio["voice"] if isinstance(audio["voice"], str) else "custom"
        format_ = AudioFormat.of(audio["format"])
        for number, sentence in enumerate(sentences(speech.text)):
            pcm = await self.synthesize(sentence, voice, audio["speed"])
            await self._stream(output, (" " if number else "") + sentence, pcm, format_)
            if self.status != "in_progress":
                return
        self._close("completed")

    async def _stream(self, output: OutputItem, text: str, pcm_8k: bytes, format_: AudioFormat) -> None:
        loop = asyncio.get_running_loop()
        audio, step = format_.encode(pcm_8k), CHUNK_MS * format_.bytes_per_ms
        words, count = _words(text), math.ceil(len(audio) / step)
        for at in range(count):
            for word in words[-(-len(words) * at // count) : -(-len(words) * (at + 1) // count)]:
                output.write("output_audio_transcript.delta", word, content_index=0)
            output.item.text = output.written
            chunk = audio[at * step : (at + 1) * step]
            output.send("output_audio.delta", content_index=0, delta=base64.b64encode(chunk).decode())
            if self._first_audio_at is None:
                self._first_audio_at = loop.time()
            chunk_ms = len(chunk) // format_.bytes_per_ms
            output.item.audio_ms += chunk_ms
            self.spoken_ms += chunk_ms
            if self._is_too_long():
                self.finish("incomplete", {"reason": "max_output_tokens"})
                return
            await asyncio.sleep(max(0.0, self._first_audio_at + self.spoken_ms / 1000 / self.ahead - loop.time()))

    def _is_too_long(self) -> bool:
        maximum = self.session["max_output_tokens"]
        return bool(maximum != "inf" and self.spoken_ms * OUTPUT_AUDIO_TOKENS_PER_S / 1000 > maximum)

    def _wire(self) -> dict[str, Any]:
        output = self.session["audio"]["output"]
        return {
            "object": "realtime.response", "id": self.id, "status": self.status, "status_details": self._details,
            "output": [item.wire for item in self._items],
            "conversation_id": self.conversation.id if self.is_in_conversation else None,
            "output_modalities": self.session["output_modalities"],
            "max_output_tokens": self.session["max_output_tokens"],
            "audio": {"output": {"format": output["format"], "voice": output["voice"]}},
            "usage": self._usage, "metadata": self.request.get("metadata"),
        }  # fmt: skip


def _words(text: str) -> list[str]:
    """The words, each with the space before it: joined they are the text."""
    first, *others = text.split(" ")
    return [word for word in (first, *(f" {other}" for other in others)) if word]

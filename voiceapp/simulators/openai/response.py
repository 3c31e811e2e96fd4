"""One response of the model: its events in OpenAI's order (protocols.md, B6), ahead of real time."""

from __future__ import annotations

import asyncio
import base64
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from voiceapp.simulators.openai.conversation import Conversation, Item
from voiceapp.simulators.openai.formats import AudioFormat
from voiceapp.simulators.openai.ids import Ids
from voiceapp.simulators.openai.outbox import Outbox
from voiceapp.simulators.openai.parts import Call, Part, Speak
from voiceapp.simulators.openai.speaking import sentences
from voiceapp.simulators.openai.usage import OUTPUT_AUDIO_TOKENS_PER_S, Meter

CHUNK_MS = 125  # no multiple of a telephone frame, like the real ones
_RATE_LIMITS = [
    {"name": "requests", "limit": 5000, "remaining": 4999, "reset_seconds": 0.012},
    {"name": "tokens", "limit": 400000, "remaining": 395904, "reset_seconds": 0.614},
]

Voice = Callable[[str, str, float], Awaitable[bytes]]


@dataclass(slots=True)
class Open:
    """The output item that is being sent."""

    item: Item
    index: int
    is_call: bool
    written: str = ""


@dataclass(slots=True)
class Response:
    """`session` is the session as it stands, with what this response overrides; `finish` may come at any await.

    `ids` are the session's; call ids are the response's own.
    """

    outbox: Outbox
    session: dict[str, Any]
    conversation: Conversation
    meter: Meter
    voice: Voice
    ahead: float
    ids: Ids
    request: dict[str, Any] = field(default_factory=dict)
    context: Sequence[Item] | None = None
    id: str = ""
    status: str = "in_progress"
    spoken_ms: int = 0
    _details: dict[str, Any] | None = None
    _usage: dict[str, Any] | None = None
    _items: list[Item] = field(default_factory=list)
    _open: Open | None = None
    _written: list[str] = field(default_factory=list)
    _first_audio_at: float | None = None
    _call_ids: Ids = field(default_factory=Ids)

    def __post_init__(self) -> None:
        self.id = self.ids.new("resp")
        self._call_ids = Ids(are_counted=self.ids.are_counted)

    @property
    def is_in_conversation(self) -> bool:
        return bool(self.request.get("conversation", "auto") != "none")

    @property
    def unplayed_ms(self) -> int:
        """How long a caller who hears in real time still has to listen."""
        if self._first_audio_at is None:
            return 0
        played = (asyncio.get_running_loop().time() - self._first_audio_at) * 1000
        return max(0, self.spoken_ms - round(played))

    def begin(self) -> None:
        self.outbox.send("response.created", response=self._wire())
        self.outbox.send("rate_limits.updated", rate_limits=_RATE_LIMITS)

    async def deliver(self, parts: Sequence[Part]) -> None:
        for part in parts:
            if isinstance(part, Call):
                await self._call(part)
            elif self.session["output_modalities"] == ["text"]:
                self._write(part)
            else:
                await self._speak(part)
            if self.status != "in_progress":
                return
        self.finish("completed")

    async def speak_half(self, text: str) -> None:
        """Audio of an item that stays open until the response is finished."""
        opened, output = self._start_message(), self.session["audio"]["output"]
        pcm = await self.voice(text, "marin", output["speed"])
        await self._stream(opened, text, pcm, AudioFormat.of(output["format"]))

    async def be_mute(self) -> None:
        """A message with audio of no length."""
        opened = self._start_message()
        self._send("output_audio.delta", opened, content_index=0, delta="")
        self._close("completed")
        self.finish("completed")

    def finish(self, status: str, details: dict[str, Any] | None = None) -> None:
        """Say that it is over, once: `completed`, `cancelled`, `incomplete` or `failed`."""
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
        self.outbox.send("response.done", response=self._wire())

    # One output item

    def _start(self, wire: dict[str, Any], *, is_call: bool) -> Open:
        item_id = self.ids.new("item")
        item = Item(item_id, {"id": item_id, "object": "realtime.item", **wire, "status": "in_progress"})
        opened = self._open = Open(item, len(self._items), is_call)
        self._items.append(item)
        self.outbox.send("response.output_item.added", response_id=self.id, output_index=opened.index, item=item.wire)
        if self.is_in_conversation:
            before = self.conversation.add(item)
            self.outbox.send("conversation.item.added", previous_item_id=before, item=item.wire)
        return opened

    def _close(self, status: str) -> None:
        """End the open item with all its closing events; cut short, it keeps what was sent of it."""
        opened, self._open = self._open, None
        assert opened is not None
        wire = opened.item.wire
        if opened.is_call:
            wire["arguments"] = opened.written
            if status == "completed":
                self._send("function_call_arguments.done", opened, call_id=wire["call_id"], name=wire["name"],
                           arguments=opened.written)  # fmt: skip
        else:
            self._close_content(opened)
        wire["status"] = status
        self._written.append(opened.written)
        self.outbox.send("response.output_item.done", response_id=self.id, output_index=opened.index, item=wire)
        if self.is_in_conversation:
            self.outbox.send("conversation.item.done", previous_item_id=self._before(opened.item), item=wire)

    def _close_content(self, opened: Open) -> None:
        opened.item.text = opened.written
        if self.session["output_modalities"] == ["text"]:
            part = {"type": "text", "text": opened.written}
            self._send("output_text.done", opened, content_index=0, text=opened.written)
            opened.item.wire["content"] = [{"type": "output_text", "text": opened.written}]
        else:
            part = {"type": "audio", "transcript": opened.written}
            self._send("output_audio.done", opened, content_index=0)
            self._send("output_audio_transcript.done", opened, content_index=0, transcript=opened.written)
            opened.item.wire["content"] = [{"type": "output_audio", "transcript": opened.written}]
        self._send("content_part.done", opened, content_index=0, part=part)

    def _before(self, item: Item) -> str | None:
        at = self.conversation.items.index(item) if item in self.conversation.items else 0
        return self.conversation.items[at - 1].id if at else None

    def _send(self, kind: str, opened: Open, **fields: Any) -> None:
        self.outbox.send(
            f"response.{kind}", response_id=self.id, item_id=opened.item.id, output_index=opened.index, **fields
        )

    # The three kinds of output

    async def _call(self, call: Call) -> None:
        call_id = self._call_ids.new("call")
        wire = {"type": "function_call", "name": call.name, "call_id": call_id, "arguments": ""}
        opened = self._start(wire, is_call=True)
        arguments = msgspec.json.encode(call.arguments).decode()
        for at in range(0, len(arguments), 12):
            piece = arguments[at : at + 12]
            opened.written += piece
            self._send("function_call_arguments.delta", opened, call_id=call_id, delta=piece)
            await asyncio.sleep(0)
        self._close("completed")

    def _write(self, part: Speak) -> None:
        opened = self._start({"type": "message", "role": "assistant", "content": []}, is_call=False)
        opened.item.is_verbatim = part.is_verbatim
        self._send("content_part.added", opened, content_index=0, part={"type": "text", "text": ""})
        for word in _words(part.text):
            opened.written += word
            self._send("output_text.delta", opened, content_index=0, delta=word)
        self._close("completed")

    def _start_message(self) -> Open:
        opened = self._start({"type": "message", "role": "assistant", "content": []}, is_call=False)
        opened.item.wire["content"] = [{"type": "output_audio", "transcript": ""}]
        self._send("content_part.added", opened, content_index=0, part={"type": "audio", "transcript": ""})
        return opened

    async def _speak(self, part: Speak) -> None:
        opened = self._start_message()
        opened.item.is_verbatim = part.is_verbatim
        output = self.session["audio"]["output"]
        voice = output["voice"] if isinstance(output["voice"], str) else "custom"
        format_ = AudioFormat.of(output["format"])
        for number, sentence in enumerate(sentences(part.text)):
            pcm = await self.voice(sentence, voice, output["speed"])
            await self._stream(opened, (" " if number else "") + sentence, pcm, format_)
            if self.status != "in_progress":
                return
        self._close("completed")

    async def _stream(self, opened: Open, text: str, pcm_8k: bytes, format_: AudioFormat) -> None:
        loop = asyncio.get_running_loop()
        sound, step = format_.encode(pcm_8k), CHUNK_MS * format_.bytes_per_ms
        words, count = _words(text), math.ceil(len(sound) / step)
        for at in range(count):
            for word in words[-(-len(words) * at // count) : -(-len(words) * (at + 1) // count)]:
                opened.written += word
                self._send("output_audio_transcript.delta", opened, content_index=0, delta=word)
            opened.item.text = opened.written
            piece = sound[at * step : (at + 1) * step]
            self._send("output_audio.delta", opened, content_index=0, delta=base64.b64encode(piece).decode())
            if self._first_audio_at is None:
                self._first_audio_at = loop.time()
            heard_ms = len(piece) // format_.bytes_per_ms
            opened.item.audio_ms += heard_ms
            self.spoken_ms += heard_ms
            if self._is_too_long():
                self.finish("incomplete", {"reason": "max_output_tokens"})
                return
            await asyncio.sleep(max(0.0, self._first_audio_at + self.spoken_ms / 1000 / self.ahead - loop.time()))

    def _is_too_long(self) -> bool:
        most = self.session["max_output_tokens"]
        return bool(most != "inf" and self.spoken_ms * OUTPUT_AUDIO_TOKENS_PER_S / 1000 > most)

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
    """Words with the blank before them, so that joined they are the text."""
    first, *others = text.split(" ")
    return [word for word in (first, *(f" {other}" for other in others)) if word]

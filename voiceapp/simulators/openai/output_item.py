"""One output item of a response while it is sent: its delta events and its closing events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from voiceapp.simulators.openai.event_sender import EventSender
from voiceapp.simulators.openai.items import ConversationItem


@dataclass(slots=True)
class OutputItem:
    """`written` is the text, the transcript or the arguments sent so far."""

    sender: EventSender
    response_id: str
    item: ConversationItem
    index: int
    is_call: bool
    is_text: bool
    written: str = ""

    def send(self, kind: str, **fields: Any) -> None:
        self.sender.send(
            f"response.{kind}", response_id=self.response_id, item_id=self.item.id, output_index=self.index, **fields
        )

    def write(self, kind: str, text: str, **fields: Any) -> None:
        """Send a delta."""
        self.written += text
        self.send(kind, delta=text, **fields)

    def close(self, status: str) -> None:
        """Send the closing events. An incomplete item keeps what was sent of it."""
        wire = self.item.wire
        if not self.is_call:
            self._close_content()
        else:
            wire["arguments"] = self.written
            if status == "completed":
                call = {"call_id": wire["call_id"], "name": wire["name"], "arguments": self.written}
                self.send("function_call_arguments.done", **call)
        wire["status"] = status
        self.sender.send("response.output_item.done", response_id=self.response_id, output_index=self.index, item=wire)

    def _close_content(self) -> None:
        self.item.text = self.written
        if self.is_text:
            part = {"type": "text", "text": self.written}
            self.send("output_text.done", content_index=0, text=self.written)
            self.item.wire["content"] = [{"type": "output_text", "text": self.written}]
        else:
            part = {"type": "audio", "transcript": self.written}
            self.send("output_audio.done", content_index=0)
            self.send("output_audio_transcript.done", content_index=0, transcript=self.written)
            self.item.wire["content"] = [{"type": "output_audio", "transcript": self.written}]
        self.send("content_part.done", content_index=0, part=part)

"""The conversation of a session: its items in order, and what the model knows of each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from voiceapp.simulators.model.conversation import AgentTurn, CallerTurn, ToolRequest, ToolResult, Turn
from voiceapp.simulators.openai.ids import new_id
from voiceapp.simulators.openai.schema import InvalidRequest


@dataclass(slots=True)
class ConversationItem:
    """`wire` is the item as clients see it; the rest is the model's knowledge of it.

    `heard` is the sentence recognized in a caller's audio (None: not recognized, "": no speech);
    `text` is the text of an agent's message, cut when the message is truncated.
    """

    id: str
    wire: dict[str, Any]
    heard: str | None = None
    text: str = ""
    audio_ms: int = 0
    is_verbatim: bool = False  # the instructions requested exactly this text: no response to the caller
    heard_share: float = 1.0  # the share of an agent's message that was played to the caller

    @property
    def kind(self) -> str:
        return str(self.wire["type"])

    @property
    def role(self) -> str | None:
        return self.wire.get("role")

    def truncate(self, audio_end_ms: int) -> None:
        """The caller heard only so much: the transcript is removed, the model keeps the words that were heard."""
        self.heard_share = audio_end_ms / self.audio_ms if self.audio_ms else 0.0
        words = self.text.split(" ")
        self.text = " ".join(words[: round(len(words) * self.heard_share)])
        self.audio_ms = audio_end_ms
        for part in self.wire["content"]:
            part.pop("transcript", None)


@dataclass(slots=True)
class ConversationItems:
    """Errors have the codes and messages of OpenAI."""

    id: str = field(default_factory=lambda: new_id("conv"))
    items: list[ConversationItem] = field(default_factory=list)

    def find(self, item_id: str) -> ConversationItem | None:
        return next((item for item in self.items if item.id == item_id), None)

    def __contains__(self, item_id: str) -> bool:
        return self.find(item_id) is not None

    def add(self, item: ConversationItem, *, after: str | None = None) -> str | None:
        """Add it at the end, or after a named item (`root`: at the front). Returns the id of the item before it."""
        if self.find(item.id) is not None:
            message = f"Error adding item: an item with id '{item.id}' exists already."
            raise InvalidRequest("item_create_duplicate_item_id", message, "item.id")
        at = len(self.items)
        if after == "root":
            at = 0
        elif after is not None:
            previous = self.find(after)
            if previous is None:
                message = f"Error adding item: the previous item with id '{after}' does not exist."
                raise InvalidRequest("item_create_invalid_previous_item_id", message, "previous_item_id")
            at = self.items.index(previous) + 1
        self.items.insert(at, item)
        return self.items[at - 1].id if at else None

    def id_before(self, item: ConversationItem) -> str | None:
        at = self.items.index(item) if item in self.items else 0
        return self.items[at - 1].id if at else None

    def remove(self, item_id: str) -> None:
        item = self.find(item_id)
        if item is None:
            message = f"Error deleting item: the item with id '{item_id}' does not exist."
            raise InvalidRequest("item_delete_invalid_item_id", message, "item_id")
        self.items.remove(item)

    def referred(self, sent: dict[str, Any]) -> ConversationItem:
        """An item of the conversation by its reference, or an item that the client sends for a single response."""
        return self.retrieve(sent["id"]) if sent["type"] == "item_reference" else item_from_client(sent)

    def require_call(self, call_id: str) -> None:
        """Raises InvalidRequest if no function call has this id."""
        if not any(item.kind == "function_call" and item.wire.get("call_id") == call_id for item in self.items):
            message = f"Tool call ID '{call_id}' not found in conversation."
            raise InvalidRequest("invalid_tool_call_id", message, "item.call_id")

    def retrieve(self, item_id: str) -> ConversationItem:
        item = self.find(item_id)
        if item is None:
            message = f"Error retrieving item: the item with id '{item_id}' does not exist."
            raise InvalidRequest("item_retrieve_invalid_item_id", message, "item_id")
        return item

    def truncate(self, item_id: str, *, content_index: int, audio_end_ms: int) -> None:
        item = self.find(item_id)
        if item is None:
            message = f"Error truncating item: the item with id '{item_id}' does not exist."
            raise InvalidRequest("item_truncate_invalid_item_id", message, "item_id")
        content = item.wire.get("content", [])
        if item.role != "assistant" or not content or content[0]["type"] != "output_audio":
            message = "Only model output audio messages can be truncated"
            raise InvalidRequest("invalid_value", message, "item_id")
        if content_index >= len(content):
            message = f"Content index {content_index} does not exist in item '{item_id}'."
            raise InvalidRequest("item_truncate_invalid_content_index", message, "content_index")
        if audio_end_ms > item.audio_ms:
            message = f"Audio content of {item.audio_ms}ms is already shorter than {audio_end_ms}ms"
            raise InvalidRequest("invalid_value", message, "audio_end_ms")
        item.truncate(audio_end_ms)


def item_from_client(sent: dict[str, Any]) -> ConversationItem:
    """An item of `conversation.item.create`; for the model, its text counts as heard."""
    wire = {**sent, "id": sent.get("id") or new_id("item"), "object": "realtime.item", "status": "completed"}
    if sent["type"] == "function_call":
        wire.setdefault("call_id", new_id("call"))
    said = " ".join(str(part.get("text") or part.get("transcript") or "") for part in sent.get("content", []))
    is_caller = sent.get("role") == "user"
    return ConversationItem(
        wire["id"], wire, heard=said.strip() if is_caller else None, text="" if is_caller else said.strip()
    )


def conversation_of(items: Iterable[ConversationItem]) -> list[Turn]:
    """The items as the model knows them."""
    turns = [_turn_of(item) for item in items]
    return [turn for turn in turns if turn is not None]


def _turn_of(item: ConversationItem) -> Turn | None:
    wire, call_id = item.wire, str(item.wire.get("call_id"))
    if item.kind == "function_call":
        return ToolRequest(call_id, str(wire.get("name")), _object(wire.get("arguments")))
    if item.kind == "function_call_output":
        return ToolResult(call_id, _object(wire.get("output")))
    if item.role == "user":
        return CallerTurn(item.heard, is_replayed=_is_typed(item))
    return AgentTurn(item.text, item.is_verbatim) if item.role == "assistant" else None


def _is_typed(item: ConversationItem) -> bool:
    """Text sent by the client: replayed, because callers speak; pressed keys are in brackets."""
    content = item.wire.get("content") or [{}]
    return content[0].get("type") == "input_text" and not (item.heard or "").startswith("[")


def _object(text: object) -> dict[str, Any]:
    try:
        read = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}

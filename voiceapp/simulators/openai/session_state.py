"""The state of a session: the session object as clients see it, its items, and the tasks that run for it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from voiceapp.simulators.model.voice_model import VoiceModel
from voiceapp.simulators.openai.event_sender import EventSender
from voiceapp.simulators.openai.faults import OpenAIFaults
from voiceapp.simulators.openai.ids import IdSource
from voiceapp.simulators.openai.items import ConversationItem, ConversationItems

_TURN_DEFAULTS: dict[str, dict[str, Any]] = {
    "server_vad": {
        "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200,
        "idle_timeout_ms": None, "create_response": True, "interrupt_response": True,
    },
    "semantic_vad": {
        "type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True,
    },
}  # fmt: skip


@dataclass(slots=True)
class SessionState:
    """`session` is the session object; `ids` makes the ids of items and responses."""

    sender: EventSender
    model: VoiceModel
    faults: OpenAIFaults
    ids: IdSource
    session: dict[str, Any]
    items: ConversationItems = field(default_factory=ConversationItems)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def send_item(self, item: ConversationItem, before: str | None) -> None:
        """Report a complete item, after the item with the id `before`."""
        self.sender.send("conversation.item.added", previous_item_id=before, item=item.wire)
        self.sender.send("conversation.item.done", previous_item_id=before, item=item.wire)


def new_session(*, session_id: str, model: str, expires_at: int) -> dict[str, Any]:
    pcm = {"type": "audio/pcm", "rate": 24000}
    return {
        "type": "realtime", "object": "realtime.session", "id": session_id, "model": model,
        "output_modalities": ["audio"],
        "instructions": "You are a helpful, witty and friendly voice on a telephone.",
        "tools": [], "tool_choice": "auto", "max_output_tokens": "inf", "tracing": None, "truncation": "auto",
        "prompt": None, "expires_at": expires_at, "include": None,
        "audio": {
            "input": {
                "format": dict(pcm), "transcription": None, "noise_reduction": None,
                "turn_detection": dict(_TURN_DEFAULTS["server_vad"]),
            },
            "output": {"format": dict(pcm), "voice": "alloy", "speed": 1.0},
        },
    }  # fmt: skip


def merged(session: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Apply a `session.update`: its fields replace those of the session and of its `audio.input` and `audio.output`."""
    new = copy.deepcopy(session)
    for name, value in changes.items():
        if name == "audio":
            for side, fields in value.items():
                new["audio"][side].update(copy.deepcopy(fields))
        else:
            new[name] = copy.deepcopy(value)
    turns = new["audio"]["input"]["turn_detection"]
    if turns is not None:
        new["audio"]["input"]["turn_detection"] = {**_TURN_DEFAULTS[turns["type"]], **turns}
    return new

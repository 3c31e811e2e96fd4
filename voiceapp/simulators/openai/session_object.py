"""The session as the client sees it: OpenAI's defaults, and the merge that `session.update` is (protocols.md, B3)."""

from __future__ import annotations

import copy
from typing import Any

_TURN_DEFAULTS: dict[str, dict[str, Any]] = {
    "server_vad": {
        "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200,
        "idle_timeout_ms": None, "create_response": True, "interrupt_response": True,
    },
    "semantic_vad": {
        "type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True,
    },
}  # fmt: skip


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
    """A session with the present fields replaced; objects below `audio.input` and `audio.output` are replaced whole."""
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

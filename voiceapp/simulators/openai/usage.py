"""Token counts at OpenAI's rates: 10 a second of the caller's audio, 20 of the agent's, one for four characters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from voiceapp.simulators.openai.items import ConversationItem

INPUT_AUDIO_TOKENS_PER_S = 10
OUTPUT_AUDIO_TOKENS_PER_S = 20


def text_tokens(text: str) -> int:
    return -(-len(text) // 4)


def output_audio_tokens(audio_ms: int) -> int:
    return -(-audio_ms * OUTPUT_AUDIO_TOKENS_PER_S // 1000)


class TokenMeter:
    """Counts the input of each response; what an earlier response had is cached, in blocks of 64 tokens."""

    def __init__(self) -> None:
        self._seen_text = 0
        self._seen_audio = 0

    def usage(
        self, *, session: dict[str, Any], items: Iterable[ConversationItem], spoken_ms: int, written: str
    ) -> dict[str, Any]:
        text = text_tokens(session["instructions"]) + text_tokens(msgspec.json.encode(session["tools"]).decode())
        audio = 0
        for item in items:
            item_text, item_audio = _cost(item)
            text, audio = text + item_text, audio + item_audio
        cached_text = min(self._seen_text, text) // 64 * 64
        cached_audio = min(self._seen_audio, audio) // 64 * 64
        self._seen_text, self._seen_audio = text, audio
        text_out, audio_out = text_tokens(written), output_audio_tokens(spoken_ms)
        return {
            "total_tokens": text + audio + text_out + audio_out,
            "input_tokens": text + audio,
            "output_tokens": text_out + audio_out,
            "input_token_details": {
                "text_tokens": text, "audio_tokens": audio, "image_tokens": 0,
                "cached_tokens": cached_text + cached_audio,
                "cached_tokens_details": {
                    "text_tokens": cached_text, "audio_tokens": cached_audio, "image_tokens": 0,
                },
            },
            "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
        }  # fmt: skip


def transcription_usage(audio_ms: int) -> dict[str, Any]:
    """Transcription is billed by the second."""
    return {"type": "duration", "seconds": audio_ms / 1000}


def _cost(item: ConversationItem) -> tuple[int, int]:
    if item.kind == "function_call":
        return text_tokens(item.wire["name"] + item.wire["arguments"]), 0
    if item.kind == "function_call_output":
        return text_tokens(item.wire["output"]), 0
    if item.audio_ms and item.role == "user":
        return 0, -(-item.audio_ms * INPUT_AUDIO_TOKENS_PER_S // 1000)
    if item.audio_ms:
        return text_tokens(item.text), output_audio_tokens(item.audio_ms)
    return text_tokens(item.text or item.heard or ""), 0

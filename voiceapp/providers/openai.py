"""OpenAI Realtime: where it is, how we say who we are, and the one builder of GA sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django.conf import settings


class OpenAIClient:
    """One account of OpenAI, or of any server that speaks its GA protocol."""

    def __init__(self, *, api_key: str, base_url: str) -> None:
        self._api_key = api_key
        self._base_url = base_url.rstrip("/")

    @classmethod
    def from_settings(cls) -> OpenAIClient:
        return cls(api_key=settings.OPENAI_API_KEY, base_url=settings.OPENAI_BASE_URL)

    def realtime_url(self, model: str) -> str:
        """The WebSocket's address: https becomes wss, http (a server on this machine) becomes ws."""
        scheme, _, rest = self._base_url.partition("://")
        return f"{'ws' if scheme == 'http' else 'wss'}://{rest}/realtime?{urlencode({'model': model})}"

    def headers(self) -> dict[str, str]:
        """No beta header: the beta was switched off, and sending it closes the socket with 4000."""
        return {"Authorization": f"Bearer {self._api_key}"}


def server_vad(*, threshold: float, prefix_padding_ms: int, silence_ms: int, interrupts: bool) -> dict[str, object]:
    """Turns by loudness. `silence_ms` is always said: the server's own default has differed from its documentation."""
    return {
        "type": "server_vad",
        "threshold": threshold,
        "prefix_padding_ms": prefix_padding_ms,
        "silence_duration_ms": silence_ms,
        "create_response": True,
        "interrupt_response": interrupts,
    }


def semantic_vad(*, eagerness: str, interrupts: bool) -> dict[str, object]:
    """Turns by meaning: the model judges whether the sentence is finished."""
    return {
        "type": "semantic_vad",
        "eagerness": eagerness,
        "create_response": True,
        "interrupt_response": interrupts,
    }


def realtime_session(
    *,
    instructions: str,
    voice: str,
    turn_detection: Mapping[str, object],
    transcription_model: str,
    language: str = "",
    keywords: Sequence[str] = (),
    tools: Sequence[Mapping[str, object]] = (),
    noise_reduction: str | None = None,
    audio_format: str = "audio/pcmu",
) -> dict[str, object]:
    """A GA session object (`session` of session.update) that speaks µ-law both ways, as the telephone does.

    The model is not in it: it is named in the address and cannot change after that.
    """
    transcription: dict[str, object] = {"model": transcription_model}
    if language:
        transcription["language"] = language
    if keywords:
        transcription["keywords"] = list(keywords)
    return {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": instructions,
        "audio": {
            "input": {
                "format": {"type": audio_format},
                "noise_reduction": {"type": noise_reduction} if noise_reduction else None,
                "transcription": transcription,
                "turn_detection": dict(turn_detection),
            },
            "output": {"format": {"type": audio_format}, "voice": voice},
        },
        "tools": list(tools),
        "tool_choice": "auto",
    }

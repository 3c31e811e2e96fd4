"""The words of a recording, by OpenAI."""

from __future__ import annotations

from django.conf import settings

from voiceapp.providers.openai.client import OpenAIClient


def transcribe(wav: bytes, *, language: str = "") -> str:
    """Empty where no words are understood. `language` may have a region. Raises OpenAIError."""
    text = OpenAIClient.from_settings().transcribe(
        wav,
        file_name="recording.wav",
        content_type="audio/wav",
        model=settings.OPENAI_TRANSCRIPTION_MODEL,
        language=language.replace("_", "-").partition("-")[0].lower(),
    )
    # JSON may carry a NUL, PostgreSQL's text may not.
    return " ".join(text.replace("\0", " ").split())

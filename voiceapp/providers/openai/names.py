"""Names that OpenAI has retired, and what we send instead: settings, because it will retire more."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from django.conf import settings


def model_used(name: str) -> str:
    """The model that we request from OpenAI when a client requests `name` (OPENAI_MODEL_ALIASES)."""
    return _used(name, settings.OPENAI_MODEL_ALIASES)


def voice_used(name: str) -> str:
    """The voice that we request from OpenAI when a client requests `name` (OPENAI_VOICE_ALIASES)."""
    return _used(name, settings.OPENAI_VOICE_ALIASES)


def _used(name: str, aliases: Mapping[str, str]) -> str:
    """An exact name wins over a pattern; of the patterns the first match wins. A replacement is not replaced again."""
    if name in aliases:
        return aliases[name]
    return next((used for old, used in aliases.items() if fnmatchcase(name, old)), name)

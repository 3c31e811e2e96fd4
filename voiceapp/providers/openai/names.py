"""Names that OpenAI no longer knows, and what it is given in their place: a setting, for it retires more of them."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from django.conf import settings


def model_used(name: str) -> str:
    """The model that OpenAI is asked for when a client asks for `name` (OPENAI_MODEL_ALIASES)."""
    return _used(name, settings.OPENAI_MODEL_ALIASES)


def voice_used(name: str) -> str:
    """The voice that OpenAI is asked for when a client asks for `name` (OPENAI_VOICE_ALIASES)."""
    return _used(name, settings.OPENAI_VOICE_ALIASES)


def _used(name: str, aliases: Mapping[str, str]) -> str:
    """An exact name goes before a pattern; of patterns the first that fits. A replacement is not replaced again."""
    if name in aliases:
        return aliases[name]
    return next((used for old, used in aliases.items() if fnmatchcase(name, old)), name)

"""The AI providers, by the name in the agent's version. A new provider adds one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sessions.calls.briefing import Briefing

from .openai_provider import openai_provider
from .provider import Provider
from .vapi_provider import vapi_provider

PROVIDERS: Mapping[str, Callable[[Briefing], Provider]] = {
    "openai": openai_provider,
    "vapi": vapi_provider,
}


def provider_for(briefing: Briefing) -> Provider:
    """The provider of the agent's version, set up for this call."""
    return PROVIDERS[briefing.provider](briefing)

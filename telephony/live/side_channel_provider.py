"""OpenAI Realtime as the AI provider of a browser's call: the session of its secret, and the side channel to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial

from sessions.calls.briefing import Briefing
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.openai.side_channel import SideChannelDialect, without_formats
from voiceapp.providers.openai.fields import fit_model

from .openai_provider import OpenAILinks, session_for
from .provider import Provider


@dataclass(frozen=True, slots=True)
class SideChannelProvider(Provider):
    """A Provider for a call whose audio is elsewhere."""

    make_dialect: Callable[[StreamClock], SideChannelDialect]


def side_channel_provider(briefing: Briefing, provider_call_id: str) -> SideChannelProvider:
    """Follows the call of this id at OpenAI."""
    session, replaced = session_for(_heard_by_a_browser(briefing))
    protects_greeting = briefing.protects_greeting and bool(briefing.phrases.greeting)
    return SideChannelProvider(
        make_dialect=partial(SideChannelDialect, session, protects_greeting=protects_greeting),
        make_link=side_channels_to(provider_call_id),
        replaced=tuple(map(asdict, replaced)),
    )


def side_channels_to(provider_call_id: str) -> OpenAILinks:
    return OpenAILinks(lambda client: client.side_channel_url(provider_call_id), is_own_address=True)


def secret_session(briefing: Briefing) -> dict[str, object]:
    """The GA session object for which a secret is minted: it binds model, voice, prompt and tools."""
    session = without_formats(session_for(_heard_by_a_browser(briefing))[0])
    return session | {"model": fit_model(briefing.model)[0]}


def _heard_by_a_browser(briefing: Briefing) -> Briefing:
    """It reduces noise itself."""
    return replace(briefing, noise_reduction=None)

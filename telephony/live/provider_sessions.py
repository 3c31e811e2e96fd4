"""A briefing as the provider's session and address: where our words become OpenAI's."""

from __future__ import annotations

from typing import cast

from sessions.calls.briefing import Briefing
from voiceapp.providers.openai.client import realtime_session, semantic_vad, server_vad
from voiceapp.providers.openai.fields import Replaced, fit_session


def session_for(briefing: Briefing) -> tuple[dict[str, object], list[Replaced]]:
    """The GA session object for session.update, and which fields were replaced because OpenAI would refuse them."""
    turns = briefing.turn_detection
    if turns.kind == "semantic_vad":
        turn_detection = semantic_vad(eagerness=turns.eagerness, interrupts=turns.interrupts)
    else:
        turn_detection = server_vad(
            threshold=turns.threshold,
            prefix_padding_ms=turns.prefix_padding_ms,
            silence_ms=turns.silence_ms,
            interrupts=turns.interrupts,
        )
    session = realtime_session(
        instructions=briefing.instructions,
        voice=briefing.voice,
        language=briefing.language,
        turn_detection=turn_detection | {"type": turns.kind},
        transcription_model=briefing.transcription_model,
        keywords=briefing.keywords,
        tools=cast("tuple[dict[str, object], ...]", briefing.tools),
        noise_reduction=briefing.noise_reduction,
    )
    return fit_session(session)

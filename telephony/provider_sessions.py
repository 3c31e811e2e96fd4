"""A briefing as the provider's session and address: where our words become OpenAI's."""

from __future__ import annotations

from typing import cast

from sessions.briefing import Briefing
from voiceapp.providers.openai import realtime_session, semantic_vad, server_vad


def session_for(briefing: Briefing) -> dict[str, object]:
    """The GA session object for session.update."""
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
    return realtime_session(
        instructions=briefing.instructions,
        voice=briefing.voice,
        language=briefing.language,
        turn_detection=turn_detection,
        transcription_model=briefing.transcription_model,
        keywords=briefing.keywords,
        tools=cast("tuple[dict[str, object], ...]", briefing.tools),
        noise_reduction=briefing.noise_reduction,
    )

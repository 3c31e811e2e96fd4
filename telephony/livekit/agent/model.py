"""OpenAI Realtime as livekit-agents speaks it, set up as the published agent wants it."""

from __future__ import annotations

from livekit.agents.llm import ChatContext
from livekit.plugins.openai.realtime import RealtimeModel
from openai.types.realtime import AudioTranscription
from openai.types.realtime.realtime_audio_input_turn_detection import SemanticVad, ServerVad

from sessions.calls.briefing import Briefing
from sessions.rooms.services.agent_briefing import RoomBriefing
from voiceapp.providers.openai.client import OpenAIClient
from voiceapp.providers.openai.fields import fit_model, fit_voice
from voiceapp.providers.openai.key import openai_api_key


def realtime_model(briefing: Briefing) -> RealtimeModel:
    """Raises OpenAIError without a key."""
    key, model = openai_api_key(), fit_model(briefing.model)[0]
    # The whole URL: the plugin appends its own path to some base URLs and not to others.
    url = OpenAIClient.from_settings().realtime_url(model)
    transcription = AudioTranscription(model=briefing.transcription_model)
    if briefing.language:
        transcription.language = briefing.language
    return RealtimeModel(
        model=model,
        voice=fit_voice(briefing.voice)[0],
        modalities=["audio"],
        base_url=url,
        api_key=key,
        turn_detection=_turn_detection(briefing),
        input_audio_transcription=transcription,
        input_audio_noise_reduction=None,
    )


def conversation_so_far(room: RoomBriefing) -> ChatContext:
    """For an agent that takes the place of another one."""
    context = ChatContext.empty()
    for speaker, text in room.past:
        context.add_message(role="user" if speaker == "caller" else "assistant", content=text)
    return context


def _turn_detection(briefing: Briefing) -> ServerVad | SemanticVad:
    turns = briefing.turn_detection
    if turns.kind == "semantic_vad":
        eagerness = turns.eagerness if turns.eagerness in ("low", "medium", "high") else "auto"
        return SemanticVad(
            type="semantic_vad",
            eagerness=eagerness,  # type: ignore[arg-type]  # one of its four words
            create_response=True,
            interrupt_response=turns.interrupts,
        )
    return ServerVad(
        type="server_vad",
        threshold=turns.threshold,
        prefix_padding_ms=turns.prefix_padding_ms,
        silence_duration_ms=turns.silence_ms,
        create_response=True,
        interrupt_response=turns.interrupts,
    )

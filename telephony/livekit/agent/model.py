"""OpenAI Realtime as livekit-agents speaks it, set up as the published agent wants it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from livekit.agents.llm import ChatContext
from livekit.agents.utils.audio import AudioByteStream
from livekit.plugins.openai.realtime import RealtimeModel, RealtimeSession
from openai.types.realtime import AudioTranscription
from openai.types.realtime.realtime_audio_config_input import NoiseReduction
from openai.types.realtime.realtime_audio_input_turn_detection import SemanticVad, ServerVad

from sessions.calls.briefing import Briefing
from sessions.calls.spending import MOST_OUTPUT_TOKENS
from sessions.rooms.services.agent_briefing import RoomBriefing
from voiceapp.providers.openai.client import OpenAIClient
from voiceapp.providers.openai.fields import fit_model, fit_voice
from voiceapp.providers.openai.key import openai_api_key

SAMPLE_RATE = 24_000
FRAME_MS = 20
OnEvent = Callable[[Mapping[str, Any]], None]


class RoomModel(RealtimeModel):
    """It reports each event of OpenAI's as it came: livekit-agents' own metrics leave out some of what is billed."""

    on_event: OnEvent
    max_output_tokens: int | None = None

    def session(self, *, turn_detection_disabled: bool = False) -> RealtimeSession:
        session = super().session(turn_detection_disabled=turn_detection_disabled)
        session.on("openai_server_event_received", self.on_event)
        if self.max_output_tokens:
            session.on("openai_server_event_received", partial(_limit_output, session, self.max_output_tokens))
        # It gathers 100 ms of sound otherwise: so much later the agent would notice that the caller interrupts it.
        session._bstream = AudioByteStream(SAMPLE_RATE, 1, samples_per_channel=SAMPLE_RATE * FRAME_MS // 1000)
        return session


def _limit_output(session: RealtimeSession, tokens: int, event: Mapping[str, Any]) -> None:
    """In each of its connections to OpenAI: livekit-agents has no setting for it."""
    if event.get("type") == "session.created":
        update = {"type": "session.update", "session": {"type": "realtime", "max_output_tokens": tokens}}
        session.send_event(update)


def realtime_model(briefing: Briefing, on_event: OnEvent) -> RoomModel:
    """Raises OpenAIError without a key."""
    key, name = openai_api_key(), fit_model(briefing.model)[0]
    transcription: dict[str, object] = {"model": briefing.transcription_model}
    if briefing.language:
        transcription["language"] = briefing.language
    if briefing.keywords:
        transcription["keywords"] = list(briefing.keywords)
    model = RoomModel(
        model=name,
        voice=fit_voice(briefing.voice)[0],
        modalities=["audio"],
        # The whole URL: the plugin appends its own path to some base URLs and not to others.
        base_url=OpenAIClient.from_settings().realtime_url(name),
        api_key=key,
        turn_detection=_turn_detection(briefing),
        input_audio_transcription=AudioTranscription.model_validate(transcription),
        input_audio_noise_reduction=_noise_reduction(briefing),
    )
    model.on_event = on_event
    if briefing.limits.spending:
        model.max_output_tokens = MOST_OUTPUT_TOKENS
    return model


def conversation_so_far(room: RoomBriefing) -> ChatContext:
    """For an agent that takes the place of another one."""
    context = ChatContext.empty()
    for speaker, text in room.past:
        context.add_message(role="user" if speaker == "caller" else "assistant", content=text)
    return context


def system_text(text: str) -> dict[str, object]:
    """An item that the model reads and nobody hears. It gets no response of its own."""
    content = [{"type": "input_text", "text": text}]
    return {
        "type": "conversation.item.create",
        "item": {"id": f"hint_{uuid4().hex[:24]}", "type": "message", "role": "system", "content": content},
    }


def _noise_reduction(briefing: Briefing) -> NoiseReduction | None:
    reduction = briefing.noise_reduction
    return NoiseReduction.model_validate({"type": reduction}) if reduction else None


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

"""The published agent's settings reach OpenAI in a room as they do on the phone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django import Settings

from sessions.calls.briefing import Briefing, Phrases, TurnDetection
from telephony.livekit.agent.model import realtime_model

BRIEFING = Briefing(
    call_id="1",
    model="gpt-realtime-2.1",
    voice="marin",
    language="en",
    instructions="",
    keywords=(),
    tools=(),
    phrases=Phrases(greeting="Hello."),
    transcription_model="gpt-transcribe",
)


@pytest.fixture(autouse=True)
def key(settings: Settings) -> None:
    settings.OPENAI_API_KEY = "sk-of-the-room-agent"


@pytest.mark.parametrize("reduction", ["near_field", "far_field", None])
def test_noise_is_reduced_as_the_published_version_wishes(reduction: str | None) -> None:
    options = realtime_model(replace(BRIEFING, noise_reduction=reduction), lambda _: None)._opts
    option = options.input_audio_noise_reduction
    assert (option.type if option else None) == reduction


def test_turns_are_detected_as_the_published_version_wishes() -> None:
    turns = TurnDetection(kind="server_vad", threshold=0.7, prefix_padding_ms=200, silence_ms=900, interrupts=False)
    option = realtime_model(replace(BRIEFING, turn_detection=turns), lambda _: None)._opts.turn_detection
    assert option is not None
    assert option.model_dump(exclude_none=True) == {
        "type": "server_vad", "threshold": 0.7, "prefix_padding_ms": 200, "silence_duration_ms": 900,
        "create_response": True, "interrupt_response": False,
    }  # fmt: skip

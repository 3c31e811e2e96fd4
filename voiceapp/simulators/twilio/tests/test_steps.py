"""A script is validated before the phone rings."""

from __future__ import annotations

import pytest

from voiceapp.simulators.twilio.steps import Act, Step, as_steps


def test_every_kind_of_step_is_parsed() -> None:
    assert as_steps(
        [
            {"say": "Hello", "voice": "en-gb", "words_per_minute": 150, "pitch": 0},
            {"say": "Stop", "interrupt_after_ms": 700},
            {"say": "At once", "listen": False},
            {"wav": "order.wav", "silence_ms": 400, "timeout_s": 3},
            {"wait_s": 1.5},
            {"press": "12#"},
            {"press": 5, "listen": True},
            {"listen": True},
            {"listen": 900},
            {"hang_up": True},
        ]
    ) == (
        Step(Act.SAY, "Hello", voice="en-gb", words_per_minute=150, pitch=0),
        Step(Act.SAY, "Stop", interrupt_after_ms=700),
        Step(Act.SAY, "At once", listens=False),
        Step(Act.WAV, "order.wav", silence_ms=400, timeout_s=3.0),
        Step(Act.WAIT, 1.5, listens=False),
        Step(Act.PRESS, "12#", listens=False),
        Step(Act.PRESS, "5", listens=True),
        Step(Act.LISTEN),
        Step(Act.LISTEN, silence_ms=900),
        Step(Act.HANG_UP, listens=False),
    )


@pytest.mark.parametrize(
    "step",
    [
        "say",
        {},
        {"say": ""},
        {"say": None},
        {"say": "x", "wav": "y"},
        {"sing": "x"},
        {"say": "x", "loud": True},
        {"press": "x"},
        {"wait_s": "long"},
        {"wait_s": -1},
        {"wait_s": None},
        {"say": "x", "interrupt_after_ms": "soon"},
    ],
)
def test_an_invalid_step_is_named(step: object) -> None:
    with pytest.raises(ValueError, match="step 2"):
        as_steps([{"hang_up": True}, step])

"""An agent whose audio arrives at playing speed: nothing is queued, and no tone interrupts it."""

from __future__ import annotations

import pytest

from .stage import Stage


def speak_in_real_time(stage: Stage, *, frames: int) -> None:
    for _ in range(frames):
        stage.delta("r1", "A", b"\x01" * 160)
        stage.listen(20)


# A mark is echoed every 100 ms, and for 20 ms after it all that came was heard: at one of these the tick falls there.
@pytest.mark.parametrize("begins_at_ms", [0, 20, 40, 60, 80])
def test_no_tone_is_played_between_the_frames_of_an_agent_who_is_never_ahead(begins_at_ms: int) -> None:
    stage = Stage()
    stage.listen(begins_at_ms)
    stage.begin("r1")
    speak_in_real_time(stage, frames=500)
    assert "tone_played" not in stage.happened
    assert set(stage.phone.heard) == {1}


def test_an_agent_who_stops_in_the_middle_of_a_response_is_covered_by_a_tone() -> None:
    stage = Stage()
    stage.begin("r1")
    speak_in_real_time(stage, frames=500)
    stage.listen(4_000)
    assert "tone_played" in stage.happened

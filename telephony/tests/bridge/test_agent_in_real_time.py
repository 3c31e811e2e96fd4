"""An agent whose audio comes no faster than it is played: nothing is ever queued, and nothing of ours may come between."""

from __future__ import annotations

from .stage import Stage


def test_no_tone_is_played_between_the_frames_of_an_agent_who_is_never_ahead() -> None:
    stage = Stage()
    stage.begin("r1")
    for _ in range(500):
        stage.delta("r1", "A", b"\x01" * 160)
        stage.listen(20)
    assert "tone_played" not in stage.happened
    assert set(stage.phone.heard) == {1}


def test_an_agent_who_stops_in_the_middle_of_a_response_is_covered_by_a_tone() -> None:
    stage = Stage()
    stage.begin("r1")
    for _ in range(500):
        stage.delta("r1", "A", b"\x01" * 160)
        stage.listen(20)
    stage.listen(4_000)
    assert "tone_played" in stage.happened

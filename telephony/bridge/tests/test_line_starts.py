"""A line of the agent's has the time at which the caller began to hear it, however long its audio was under way."""

from __future__ import annotations

import pytest

from sessions.calls.facts import Fact, LineSpoken
from telephony.bridge.core.line_starts import LineStarts
from telephony.bridge.core.transcript import Transcript

from .far_phone import FarPhone
from .stage import Stage


class Lines:
    """Of an agent whose phone is far away."""

    def __init__(self) -> None:
        self.phone = FarPhone(down_ms=130, up_ms=70)
        self.times_ms: dict[str, list[int]] = {}
        self.transcript = Transcript(self._record)
        self.starts = LineStarts(playout=self.phone.playout, transcript=self.transcript, clock=self.phone.clock)

    def _record(self, fact: Fact) -> None:
        assert isinstance(fact, LineSpoken)
        self.times_ms.setdefault(fact.item_id, []).append(fact.spoken_at_ms)

    def say(self, line_id: str, ms: int, *, quiet_ms: int = 0) -> bytes:
        self.starts.came(line_id, quiet_bytes=quiet_ms * 8, turn=0)
        self.transcript.agent_said(line_id, "Hello.", is_whole=True)
        return self.phone.say(ms)

    def wait(self, ms: int) -> None:
        self.phone.wait(ms)
        self.starts.heard_more()


def test_a_line_gets_the_time_at_which_it_was_heard() -> None:
    lines = Lines()
    lines.wait(400)
    first = lines.say("A", 1_000, quiet_ms=60)
    lines.wait(1_700)
    second = lines.say("B", 500)
    lines.wait(1_000)
    first_ms, second_ms = (lines.phone.heard.find(audio[:80]) // 8 for audio in (first, second))
    # First an estimate: the frames that have come say 320 ms.
    assert lines.times_ms["A"] == [320 + 60, pytest.approx(first_ms + 60, abs=20)]
    assert lines.times_ms["B"] == [2_020, pytest.approx(second_ms, abs=20)]


def test_what_was_taken_back_gets_no_time() -> None:
    lines = Lines()
    lines.wait(400)
    lines.say("A", 1_000)
    lines.phone.interrupt()
    lines.starts.forget()
    lines.wait(1_000)
    assert lines.times_ms == {"A": [320]}


def test_a_call_reports_the_time_once_more_when_it_is_known() -> None:
    stage = Stage()
    stage.listen(200)
    stage.begin("r1")
    stage.audio("r1", "A", 400, 1)
    stage.text("A", "Hello.", whole=True)
    for timestamp in range(200, 380, 20):  # nothing is played meanwhile
        stage.frame(timestamp)
    stage.listen(200)
    assert [line.spoken_at_ms for line in stage.facts_of(LineSpoken)] == [200, pytest.approx(380, abs=20)]

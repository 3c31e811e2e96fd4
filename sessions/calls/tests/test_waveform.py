"""The waveform of a recording, drawn on the server."""

from __future__ import annotations

from sessions.calls.admin.waveform import BINS, Silence, channels_of, lanes_of, silences_of

LOUD, SILENT = bytes([200]), bytes([0])


def test_two_channels_are_two_lanes_and_one_is_both() -> None:
    caller = SILENT * 500 + LOUD * 500
    lanes = lanes_of(caller + SILENT * BINS)
    assert [(lane.name, lane.y) for lane in lanes] == [("Caller", 0), ("Agent", 52)]
    assert lanes[0].path.startswith("M0 24H1000M500 0V48M501 0V48")
    assert lanes[1].path == "M0 76H1000"
    assert [lane.name for lane in lanes_of(caller)] == ["Caller and agent"]


def test_both_lanes_have_one_scale_and_silence_is_not_made_loud() -> None:
    lanes = lanes_of(bytes([100]) * BINS + bytes([50]) * BINS)
    assert ("M7 0V48" in lanes[0].path, "M7 64V88" in lanes[1].path) == (True, True)
    assert "M7 23V25" in lanes_of(bytes([1]) * BINS)[0].path


def test_what_is_no_waveform_is_not_drawn() -> None:
    for peaks in (None, b"", bytes(999), bytes(3 * BINS)):
        assert channels_of(peaks) == []
        assert lanes_of(peaks) == []
        assert silences_of(peaks, duration_ms=60_000, longer_than_ms=2_000) == []


def test_a_silence_is_where_neither_is_heard_for_long_enough() -> None:
    caller = LOUD * 100 + SILENT * 900
    agent = SILENT * 150 + LOUD * 100 + SILENT * 30 + LOUD * 720
    # 100 s: each part is 100 ms.
    found = silences_of(caller + agent, duration_ms=100_000, longer_than_ms=2_000)
    assert found == [Silence(10_000, 15_000), Silence(25_000, 28_000)]
    assert silences_of(caller + agent, duration_ms=100_000, longer_than_ms=3_000) == [Silence(10_000, 15_000)]

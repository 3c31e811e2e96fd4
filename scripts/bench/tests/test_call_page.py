"""What the bench says of the call page, from what Chromium saw."""

from pathlib import Path

import call_page_figures
import pytest
from call_page import PageCall
from figures import Figure
from options import Options

PARTS = {"permission": 50.0, "secret": 100.0, "sdp": 150.0, "first_audio": 300.0}


def call(first_sound_ms: float = 600.0, **others: object) -> PageCall:
    values = {"usable_ms": 200.0, "bytes": 90_000, "parts_ms": PARTS, "captions": {"agent": [20.0, 40.0]}}
    return PageCall(first_sound_ms=first_sound_ms, **values | others)


def judged(*calls: PageCall) -> dict[str, Figure]:
    return {figure.name: figure for figure in call_page_figures.judge(list(calls))}


TALKED = call(captions={"agent": [20.0], "caller": [30.0]})


def test_medians_leave_out_the_first_call_which_is_named() -> None:
    figures = judged(call(2000), call(500), call(700), TALKED)
    sound = figures["call_page.first_sound_ms"]
    assert (sound.ours, sound.holds, sound.note) == (600, True, "the first one 2000, the slowest 700")
    assert figures["call_page.sdp_ms"].ours == 150
    assert figures["call_page.kb"].ours == 90


def test_the_slowest_caption_counts() -> None:
    slow = call(captions={"agent": [20.0, 301.0], "caller": [5.0]})
    figure = judged(call(), slow, call())["call_page.caption_max_ms"]
    assert (figure.ours, figure.holds, figure.note) == (301, False, "in the first one 40; 7 texts, 1 the caller's")
    assert judged(slow, call(), call())["call_page.caption_max_ms"].holds


@pytest.mark.parametrize("captions", [{"agent": [20.0, None], "caller": [30.0]}, {"agent": [20.0]}])
def test_a_caption_that_never_came_is_wrong(captions: dict[str, list[float | None]]) -> None:
    assert judged(call(), call(captions=captions))["call_page.captions_missing"].wrong
    assert not judged(call(), TALKED)["call_page.captions_missing"].wrong


def test_without_chromium_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(call_page_figures, "CHROMIUM", tmp_path / "chromium")
    [table] = call_page_figures.measure(None, Options((), 6.0, 1))
    assert not table.figures
    assert "is not measured" in table.proves

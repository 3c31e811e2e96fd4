"""The files of agents that followed each other in a room are one recording, each part at its time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from recordings.finishing.audio import read_audio, write_opus
from recordings.finishing.tests.files import quiet, tone, wav
from recordings.models import Recording
from recordings.sources.room_agent import fetch, folder_of, new_id


@pytest.fixture
def recording(settings: Settings, tmp_path: Path) -> Recording:
    settings.RECORDINGS_DIR = str(tmp_path)
    return Recording(pk=7)


def write_part(recording: Recording, *, from_ms: int, seconds: float) -> None:
    """Its caller speaks all the time, its agent never."""
    folder = folder_of(new_id(recording))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "part.wav").write_bytes(wav(tone(seconds), quiet(seconds)))
    write_opus(folder / "part.wav", folder / f"{from_ms}.ogg")


@pytest.mark.parametrize(
    ("second_from_ms", "spoken"), [(3000, [(0, 1000), (2000, 3000)]), (1500, [(0, 1500)])], ids=["gap", "overlap"]
)
def test_parts_are_joined_where_they_belong(
    recording: Recording, tmp_path: Path, second_from_ms: int, spoken: list[tuple[int, int]]
) -> None:
    write_part(recording, from_ms=1000, seconds=1)
    write_part(recording, from_ms=second_from_ms, seconds=1)
    fetch(recording, tmp_path / "whole")
    audio = read_audio(tmp_path / "whole")
    assert (audio.channels, audio.duration_ms) == (2, second_from_ms)
    loud = np.flatnonzero(np.diff(np.frombuffer(b"\0" + audio.loud[0] + b"\0", np.int8))) * 10
    edges = [edge for pair in spoken for edge in pair]
    assert loud.tolist() == [pytest.approx(edge, abs=20) for edge in edges]

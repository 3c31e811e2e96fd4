"""What a caller's page records comes in pieces: in order, bounded, and only of a call whose caller agreed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import av
import numpy as np
import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.privacy.models import PrivacySettings
from recordings.finishing.runs import finish_due
from recordings.models import Recording
from recordings.services import page
from recordings.services.declining import DECLINE, DECLINED
from recordings.services.page import NoSound, PieceRefused, end_lost_page_recordings, take_piece
from recordings.sources.page import EBML, path_of
from recordings.sweeping import sweep
from sessions.calls.declined_recordings import DeclinedBy, decline_recording
from sessions.calls.facts import BROWSER_JOINED, SomethingHappened
from sessions.calls.models import Call
from sessions.calls.services import record_facts
from sessions.messages.outbox import outbox

from .calls import only_recording

pytestmark = pytest.mark.django_db

State = Recording.State
RATE = 48_000
FIRST = EBML + b"the first piece"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.RECORDINGS_DIR, settings.LIVEKIT_RECORDING_BUCKET = str(tmp_path / "recordings"), ""
    settings.FINISHING_DIR = str(tmp_path / "finishing")
    settings.OPENAI_API_KEY = settings.OPENAI_SECRET_ID = ""
    return tmp_path


@pytest.fixture
def call(harbour: Organization) -> Call:
    """Over WebRTC; its caller agreed."""
    return Call.objects.create(
        organization=harbour, kind="browser", state="connected", carrier_sid="rtc_1", owner="alice",
        connected_at=timezone.now(), is_recording_wanted=True,
    )  # fmt: skip


def spoken(folder: Path, *, seconds: float = 2) -> bytes:
    """As Chromium's MediaRecorder writes it: a live WebM file of Opus, the caller left and the agent right."""
    path = folder / "spoken.webm"
    times = np.arange(int(seconds * RATE)) / RATE
    lanes = [8000 * np.sin(2 * np.pi * hz * times) for hz in (300, 900)]
    samples = np.stack(lanes, axis=1).astype(np.int16).reshape(1, -1)
    with av.open(str(path), "w", format="webm", options={"live": "1"}) as file:
        stream = file.add_stream("libopus", rate=RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate = RATE
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path.read_bytes()


def over(call: Call, *, minutes: float = 0) -> None:
    Call.objects.filter(pk=call.pk).update(state="completed", ended_at=timezone.now() - dt.timedelta(minutes=minutes))


def test_pieces_become_a_recording_in_two_channels(call: Call, folder: Path) -> None:
    content = spoken(folder)
    half = len(content) // 2
    record_facts(call.pk, [SomethingHappened(BROWSER_JOINED, 1_250)])
    assert take_piece(call, content[:half], at=0, age_ms=2_000, since_joined_ms=300) == half
    recording = only_recording()
    assert recording.starts_at_ms == 1_550, "where the page joined on the call's clock, and so much later"
    assert (recording.source, recording.state, recording.channels) == ("page", State.RECORDING, 2)
    assert recording.started_at is not None
    assert timezone.now() - recording.started_at >= dt.timedelta(seconds=2)
    for _ in range(2):  # its response was lost
        assert take_piece(call, content[half : half + 100], at=half) == half + 100
    over(call)  # what was said last comes after the end
    assert take_piece(call, content[half + 100 :], at=half + 100, is_last=True) == len(content)
    assert finish_due() == 1
    done = only_recording()
    assert (done.state, done.channels, done.step) == (State.STORED, 2, "")
    assert done.duration_ms == pytest.approx(2_000, abs=60)
    assert not path_of(str(done.external_id)).exists()
    with pytest.raises(PieceRefused):
        take_piece(call, FIRST, at=0)


def test_a_page_that_goes_away_leaves_what_has_arrived(call: Call, folder: Path) -> None:
    content = spoken(folder)
    take_piece(call, content[: len(content) * 2 // 3], at=0)
    assert end_lost_page_recordings() == 0
    over(call, minutes=3)
    assert (end_lost_page_recordings(), end_lost_page_recordings()) == (1, 0)
    assert finish_due() == 1
    done = only_recording()
    assert (done.state, done.error) == (State.CUT_SHORT, page.NOT_ALL_SENT)
    assert 1_000 < (done.duration_ms or 0) < 1_900


@pytest.mark.parametrize(
    "changes",
    [
        {"is_recording_wanted": False},
        {"state": "completed"},
        {"state": "pending"},
        {"recording_declined_at": timezone.now()},
    ],
)
def test_nothing_is_taken_of_a_call_that_is_not_to_be_recorded(call: Call, changes: dict[str, object]) -> None:
    Call.objects.filter(pk=call.pk).update(**changes)
    with pytest.raises(PieceRefused):
        take_piece(call, FIRST, at=0)
    assert not Recording.objects.exists()


def test_what_is_no_sound_or_has_no_beginning_is_not_taken(call: Call, folder: Path) -> None:
    with pytest.raises(NoSound):
        take_piece(call, b"RIFF", at=0)
    with pytest.raises(PieceRefused):
        take_piece(call, b"later", at=5)
    assert not (folder / "recordings").exists()


def test_a_gap_or_too_much_ends_it_with_the_reason(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    take_piece(call, FIRST, at=0)
    with pytest.raises(PieceRefused):
        take_piece(call, b"x", at=len(FIRST) + 1)
    assert (only_recording().state, only_recording().broken_off_by) == (State.STORING, page.LOST_PIECE)
    Recording.objects.all().delete()
    take_piece(call, FIRST, at=0)
    monkeypatch.setattr(page, "MOST_BYTES", len(FIRST))
    with pytest.raises(PieceRefused):
        take_piece(call, b"x", at=len(FIRST))
    assert only_recording().broken_off_by == page.TOO_LONG


def test_a_declined_one_is_deleted_and_takes_nothing_more(call: Call) -> None:
    take_piece(call, FIRST, at=0)
    path = path_of(str(only_recording().external_id))
    assert path.exists()
    decline_recording(call.pk, by=DeclinedBy.TOOL)
    assert outbox.process_due([DECLINE]) == 1
    for at in (0, len(FIRST)):
        with pytest.raises(PieceRefused):
            take_piece(call, FIRST, at=at)
    assert not path.exists()
    assert only_recording().state == State.CANCELED


def test_under_a_legal_hold_it_ends_and_what_came_before_stays(call: Call, harbour: Organization) -> None:
    PrivacySettings.objects.create(organization=harbour, is_on_hold=True, hold_reason="A case")
    take_piece(call, FIRST, at=0)
    decline_recording(call.pk, by=DeclinedBy.TOOL)
    with pytest.raises(PieceRefused):
        take_piece(call, b"more", at=len(FIRST))
    recording = only_recording()
    assert (recording.state, recording.broken_off_by) == (State.STORING, DECLINED)
    assert path_of(str(recording.external_id)).read_bytes() == FIRST


def test_the_sweep_leaves_what_is_being_recorded(call: Call) -> None:
    take_piece(call, FIRST, at=0)
    assert sweep().leftovers == []
    assert path_of(str(only_recording().external_id)).exists()

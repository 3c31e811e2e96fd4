"""A recording is fetched, checked, transcoded, stored and cleaned up; what fails is repeated, and then says why."""

from __future__ import annotations

import datetime as dt
import errno
from collections.abc import Callable
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from recordings.files import file_size, read_file, store_file
from recordings.finishing.audio import PEAKS, read_audio
from recordings.finishing.services import FINISH, enqueue_finishing, retry_finishing
from recordings.finishing.work_folder import leftovers, only_run
from recordings.models import Recording
from recordings.sweeping import Swept, sweep
from recordings.tests.places import keys_on
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from voiceapp.providers.errors import ProviderError
from voiceapp.tests.dying import Point, in_a_process_that_dies

from .conftest import CONVERSATION, FolderSource, State, now, over, work
from .files import quiet, tone, wav

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = "recordings.finishing.steps"
SERVICES = "recordings.finishing.services"
MINUTE = dt.timedelta(minutes=1)


def job() -> OutboxMessage:
    return OutboxMessage.objects.get(topic=FINISH)


def test_a_call_is_stored_as_opus_in_two_channels(
    recording: Recording, source: FolderSource, call: Call, stored_keys_everywhere: Callable[[], list[str]]
) -> None:
    assert (now(recording).state, now(recording).step) == (State.STORING, "fetch")
    assert work() == 1
    done = now(recording)
    assert (done.state, done.step, done.error, done.file_type) == (State.STORED, "", "", "ogg")
    assert (done.channels, done.duration_ms, len(done.peaks or b"")) == (2, 4000, 2 * PEAKS)
    assert stored_keys_everywhere() == [done.key]
    assert done.key.startswith(f"recordings/{call.organization_id}/")
    assert (done.size_bytes, done.size_bytes) == (file_size(done), len(read_file(done)))
    kept = read_audio(read_file(done))
    assert (kept.channels, kept.duration_ms) == (2, 4000)
    assert call.events.get(kind="recording_ended").detail == {"state": "stored", "error": ""}
    assert not source.file.exists(), "the source's copy"
    assert leftovers() == []
    assert not enqueue_finishing(done), "a second report changes nothing"
    assert work() == 0


def test_what_was_recorded_until_the_disk_was_full_is_kept_with_the_reason(recording: Recording, call: Call) -> None:
    Recording.objects.update(broken_off_by="No space left on device.")
    assert work() == 1
    done = now(recording)
    assert (done.state, done.step, done.error) == (State.CUT_SHORT, "", "No space left on device.")
    assert (done.has_file, done.duration_ms, len(read_file(done))) == (True, 4000, done.size_bytes)
    assert call.events.get(kind="recording_ended").detail == {"state": "cut_short", "error": done.error}


def test_a_mixed_channel_stays_one(recording: Recording, source: FolderSource) -> None:
    source.file.write_bytes(wav(tone(1)))
    work()
    assert (now(recording).channels, len(now(recording).peaks or b"")) == (1, PEAKS)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "The file is empty."),
        (b"<html>Sign in</html>", "The file is no audio file that can be read."),
        (CONVERSATION[:-1000], "The file is cut off."),
        (wav(quiet(0.05)), "The file has no audio in it."),
        (wav(quiet(3), quiet(3)), "The recording is silent."),
    ],
    ids=["empty", "html", "truncated", "nothing", "silent"],
)
def test_what_is_no_recording_is_never_shown_as_one(
    recording: Recording, source: FolderSource, disk: Path, call: Call, content: bytes, why: str
) -> None:
    source.file.write_bytes(content)
    work()
    assert (now(recording).step, now(recording).error) == ("check", why)
    for hours in range(1, 12):
        work(dt.timedelta(hours=hours))
    given_up = now(recording)
    assert (given_up.state, given_up.step, given_up.error) == (State.FAILED, "check", why)
    assert not given_up.has_file
    assert call.events.get(kind="recording_ended").detail == {"state": "failed", "error": why}
    assert (keys_on(disk), leftovers()) == ([], [])
    assert source.file.exists(), "what the source has is not deleted"
    source.file.write_bytes(CONVERSATION)
    assert retry_finishing(given_up)
    assert (now(recording).state, now(recording).error) == (State.STORING, "")
    work(dt.timedelta(hours=13))
    assert now(recording).state == State.STORED


def test_a_file_that_is_shorter_than_its_source_says_is_cut_off(recording: Recording) -> None:
    Recording.objects.update(duration_ms=60_000)
    work()
    assert now(recording).error == "The file is cut off: it ends after 4.0 of 60.0 s."


def test_a_source_that_is_away_for_a_day_loses_nothing(recording: Recording, source: FolderSource) -> None:
    source.error = ProviderError("twilio", "no response")
    for hours in range(0, 23, 3):
        work(dt.timedelta(hours=hours))
        assert (now(recording).state, now(recording).error) == (State.STORING, "twilio: no response")
    source.error = None
    work(dt.timedelta(hours=23))
    assert now(recording).state == State.STORED


def test_a_source_without_the_file_ends_it_at_once_with_the_reason(recording: Recording, source: FolderSource) -> None:
    source.error = ProviderError("twilio", "the recording was deleted", permanent=True)
    work()
    assert (now(recording).state, now(recording).step) == (State.FAILED, "fetch")
    assert now(recording).error == "twilio: the recording was deleted"


def test_a_full_disk_of_the_worker_is_waited_for(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, disk: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patches:
        patches.setattr(f"{STEPS}.write_opus", full)
        work()
    assert (now(recording).state, now(recording).step) == (State.STORING, "transcode")
    assert now(recording).error == "The worker's disk: No space left on device"
    work(MINUTE)
    assert now(recording).state == State.STORED


def test_a_worker_without_a_folder_says_so(recording: Recording, settings: Settings, tmp_path: Path) -> None:
    right, settings.FINISHING_DIR = settings.FINISHING_DIR, str(tmp_path / "file" / "folder")
    (tmp_path / "file").touch()
    assert work() == 0
    assert now(recording).error == "The worker cannot write into FINISHING_DIR: Not a directory"
    assert job().attempts == 0
    settings.FINISHING_DIR = right
    assert work() == 1
    assert (now(recording).state, now(recording).error) == (State.STORED, "")


@pytest.mark.parametrize("fault", ["no folder", "no bucket", "no server"])
def test_a_storage_that_is_away_is_waited_for(
    recording: Recording, settings: Settings, disk: Path, request: pytest.FixtureRequest, fault: str
) -> None:
    if fault == "no folder":
        disk.write_bytes(b"a file where the folder should be")
    else:
        request.getfixturevalue("in_bucket")
    right = settings.LIVEKIT_RECORDING_BUCKET, settings.AWS_ENDPOINT_URL
    if fault == "no bucket":
        settings.LIVEKIT_RECORDING_BUCKET = "another-one"
    if fault == "no server":
        settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    work()
    waiting = now(recording)
    assert (waiting.state, waiting.step, waiting.has_file) == (State.STORING, "store", False)
    expected = {"no folder": "disk: Not a directory", "no bucket": "NoSuchBucket", "no server": "s3: no response"}
    assert expected[fault] in waiting.error
    if fault == "no folder":
        disk.unlink()
    settings.LIVEKIT_RECORDING_BUCKET, settings.AWS_ENDPOINT_URL = right
    work(MINUTE)
    assert (now(recording).state, now(recording).bucket) == (State.STORED, right[0])


KILLS: list[Point] = [
    (STEPS, "folder_of", "before"),
    (STEPS, "read_audio", "before"),
    (STEPS, "write_opus", "after"),
    (STEPS, "align", "after"),
    (STEPS, "store_file", "before"),
    ("recordings.files", "_save", "after"),
    (SERVICES, "record_event", "after"),
    (SERVICES, "keep_file", "after"),
    (STEPS, "_clean", "after"),
    (SERVICES, "close_finishing", "after"),
    ("voiceapp.core.jobs.engine:JobQueue", "_attempt", "after"),
]


def test_a_worker_killed_at_any_point_leaves_a_finished_recording_in_the_end(
    call: Call, source: FolderSource, stored_keys: Callable[[], list[str]]
) -> None:
    """A recording of its own for each point, in one place."""
    keys: list[str] = []
    for number, point in enumerate(KILLS, start=1):
        source.file.write_bytes(CONVERSATION)
        recording = over(call, f"b{number}")
        assert in_a_process_that_dies(work, point), point
        work(MINUTE)
        done = now(recording)
        assert (done.state, done.step, done.error) == (State.STORED, "", ""), point
        assert read_audio(read_file(done)).duration_ms == 4000, point
        keys.append(done.key)
        assert stored_keys() == sorted(keys), point
        assert leftovers() == [], point
        assert not source.file.exists(), point
        assert call.events.filter(kind="recording_ended").count() == number, point
        assert OutboxMessage.objects.exclude(state="done").count() == 0, point
    with time_machine.travel(timezone.now() + dt.timedelta(days=2), tick=True):
        assert sweep(is_dry=True) == Swept(), "no file without a row, no row without its file"


def test_a_file_that_kills_its_worker_fails_with_a_reason_in_the_end(recording: Recording) -> None:
    OutboxMessage.objects.update(attempts=10)
    work()
    assert now(recording).state == State.FAILED
    assert now(recording).error == "gave up after 10 attempts; the last one never returned"


@pytest.mark.parametrize("is_deleted", [False, True])
def test_what_is_canceled_or_deleted_meanwhile_leaves_no_file(
    recording: Recording, stored_keys: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch, is_deleted: bool
) -> None:
    def store_and_stop(*args: object, **options: object) -> str:
        bucket = store_file(*args, **options)  # type: ignore[arg-type]  # passed through
        rows = Recording.objects.filter(pk=recording.pk)
        if is_deleted:
            rows.delete()
        else:
            rows.update(state=State.CANCELED)
        return bucket

    monkeypatch.setattr(f"{STEPS}.store_file", store_and_stop)
    work()
    assert stored_keys() == []
    assert [each.state for each in Recording.objects.all()] == ([] if is_deleted else [State.CANCELED])
    assert work(MINUTE) == 0


def test_a_file_that_its_source_stored_is_measured_where_it_is(
    call: Call, stored_keys: Callable[[], list[str]]
) -> None:
    key = f"recordings/{call.organization_id}/2026/11/a.wav"
    bucket = store_file(key, CONVERSATION, file_type="wav")
    made = Recording.objects.create(
        call=call, state=State.STORED, file_type="wav", key=key, bucket=bucket, size_bytes=1, duration_ms=4000
    )
    assert enqueue_finishing(made)
    assert now(made).has_file
    work()
    done = now(made)
    assert (done.state, done.step, done.channels, done.size_bytes) == (State.STORED, "", 2, len(CONVERSATION))
    assert stored_keys() == [key]


def test_a_file_that_was_reported_and_is_not_there_is_not_shown(call: Call) -> None:
    made = Recording.objects.create(call=call, state=State.STORED, key="recordings/a.mp4", size_bytes=1)
    enqueue_finishing(made)
    work()
    assert (now(made).state, now(made).has_file, now(made).error) == (State.FAILED, False, "disk: the file is gone")


def test_one_run_at_a_time_has_the_folder(recording: Recording) -> None:
    with only_run() as is_ours:
        assert is_ours
        assert work() == 0
        assert now(recording).state == State.STORING
    assert work() == 1

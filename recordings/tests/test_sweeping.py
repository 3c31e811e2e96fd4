"""No file without a row, no row without its file: in the storage, and on a worker's disk."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from recordings.backends import StoredFile
from recordings.files import list_files, store_file
from recordings.finishing.services import retry_finishing
from recordings.finishing.tests.conftest import State, call, disk, now
from recordings.finishing.work_folder import only_run
from recordings.models import Recording
from recordings.sweeping import MISSING, Swept, sweep
from recordings.tasks import sweep_recordings
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from voiceapp.celery import app

__all__ = ["call", "disk"]

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "recordings/x/2026/11/{}.ogg"
LATER = dt.timedelta(days=1, minutes=1)


def stored(call: Call, name: str = "a") -> Recording:
    bucket = store_file(KEY.format(name), b"OggS", file_type="ogg")
    return Recording.objects.create(
        call=call, state=State.STORED, bucket=bucket, key=KEY.format(name), size_bytes=4, peaks=b"\0"
    )


def swept(*, later: dt.timedelta = dt.timedelta(), is_dry: bool = False, removes_in_bucket: bool = True) -> Swept:
    with time_machine.travel(timezone.now() + later, tick=True):
        return sweep(is_dry=is_dry, removes_in_bucket=removes_in_bucket)


def command(*arguments: str) -> str:
    out = StringIO()
    with time_machine.travel(timezone.now() + LATER, tick=True):
        call_command("sweep_recordings", *arguments, stdout=out)
    return out.getvalue()


def test_where_all_is_in_order_nothing_is_found(call: Call, stored_keys: Callable[[], list[str]]) -> None:
    stored(call)
    assert swept(later=LATER).count == 0
    assert swept(later=LATER).problems == []
    assert stored_keys() == [KEY.format("a")]


def test_a_file_without_a_row_is_removed_after_a_day(
    call: Call, stored_keys_everywhere: Callable[[], list[str]]
) -> None:
    stored(call)
    store_file(KEY.format("b"), b"OggS", file_type="ogg")
    assert swept().count == 0, "a worker may be about to write its row"
    assert len(swept(later=LATER, is_dry=True).orphans) == 1
    assert len(stored_keys_everywhere()) == 2
    assert len(swept(later=LATER).orphans) == 1
    assert stored_keys_everywhere() == [KEY.format("a")]


def test_the_schedule_removes_nothing_from_a_bucket_that_others_may_use(
    call: Call, in_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_file(KEY.format("b"), b"OggS", file_type="ogg")
    assert len(swept(later=LATER, removes_in_bucket=False).orphans) == 1
    assert len(swept(later=LATER, removes_in_bucket=False).orphans) == 1
    assert app.conf.beat_schedule["sweep-recordings"]["task"] == "recordings.tasks.sweep_recordings"


def test_a_row_whose_file_is_gone_says_so_until_it_is_back(call: Call, stored_keys: Callable[[], list[str]]) -> None:
    recording = stored(call)
    other = stored(call, "b")
    Recording.objects.filter(pk=recording.pk).update(key=KEY.format("elsewhere"))
    assert swept(is_dry=True).missing == [recording.pk]
    assert now(recording).state == State.STORED
    assert swept().missing == [recording.pk]
    assert (now(recording).state, now(recording).error) == (State.FAILED, MISSING)
    assert not now(recording).has_file
    assert now(other).has_file
    store_file(KEY.format("elsewhere"), b"OggS", file_type="ogg")
    assert swept().found_again == [recording.pk]
    assert (now(recording).state, now(recording).error) == (State.STORED, "")


def test_a_storage_that_is_not_mounted_loses_nothing(call: Call, disk: Path) -> None:
    recordings = [stored(call, str(number)) for number in range(12)]
    disk.rename(disk.with_name("unmounted"))
    disk.mkdir()
    found = swept()
    assert (found.missing, found.problems) == ([], ["disk: none of 12 files is there; is it the right place?"])
    assert all(now(each).has_file for each in recordings)


def test_a_bucket_that_is_away_is_named(call: Call, in_bucket: str, settings: Settings) -> None:
    recording = stored(call)
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="calls-of-tests: s3: no response"):
        command()
    assert now(recording).has_file


def test_what_a_dead_worker_left_is_removed_unless_one_is_at_work(settings: Settings, disk: Path) -> None:
    left = Path(settings.FINISHING_DIR) / "17"
    left.mkdir(parents=True)
    os.utime(left, (0, 0))
    with only_run():
        left.mkdir()
        os.utime(left, (0, 0))
        swept()
        assert left.exists()
    assert swept(is_dry=True).leftovers == [str(left)]
    assert left.exists()
    assert swept().leftovers == [str(left)]
    assert not left.exists()


@pytest.mark.parametrize(
    ("name", "source"), [("{}.tape", Recording.Source.BRIDGE), ("rooms/{}/0.ogg", Recording.Source.ROOM_AGENT)]
)
def test_what_a_live_call_wrote_stays_until_its_recording_is_finished(
    call: Call, disk: Path, name: str, source: Recording.Source
) -> None:
    for number in ("unknown", "waiting"):
        path = disk / "spool" / name.format(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    recording = Recording.objects.create(call=call, source=source, external_id="waiting", state=State.RECORDING)
    assert swept().count == 0
    found = swept(later=LATER).leftovers
    assert ["unknown" in each for each in found] == [True]
    assert swept(later=LATER).count == 0
    Recording.objects.filter(pk=recording.pk).update(state=State.STORED)
    assert len(swept(later=LATER).leftovers) == 1
    assert not [path for path in (disk / "spool").rglob("*") if path.is_file()]


def test_a_recording_that_no_job_finishes_gets_one(call: Call) -> None:
    recording = Recording.objects.create(call=call, state=State.STORING, step="fetch")
    assert swept(is_dry=True).unattended == [recording.pk]
    assert swept().unattended == [recording.pk]
    assert OutboxMessage.objects.get().body == {"recording": recording.pk}
    assert swept().count == 0
    assert retry_finishing(recording)
    assert OutboxMessage.objects.count() == 1


def test_the_command_says_what_it_finds(call: Call, disk: Path, harbour: Organization) -> None:
    store_file(KEY.format("b"), b"OggS", file_type="ogg")
    assert f"Files without a recording, would be removed: 1\n  disk: {KEY.format('b')}\n" in command("--dry-run")
    assert "Files without a recording, removed: 1" in command()
    assert "Files without a recording, removed: 0" in command()
    assert sweep_recordings() == 0


def test_a_file_that_cannot_be_looked_for_is_a_problem_and_not_lost(
    call: Call, at_google: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = stored(call)
    Recording.objects.filter(pk=recording.pk).update(key=KEY.format("elsewhere"))

    # The key is withdrawn after the listing.
    def list_and_lose(name: str, folder: str) -> Iterator[StoredFile]:
        yield from list_files(name, folder)
        settings.GCS_HMAC_SECRET = "another"

    monkeypatch.setattr("recordings.sweeping.list_files", list_and_lose)
    found = swept()
    assert (found.missing, len(found.problems)) == ([], 1)
    assert "gs://calls-of-tests: gcs: " in found.problems[0]
    assert now(recording).has_file

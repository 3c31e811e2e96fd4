"""A call that a source of this machine has recorded, the storage on disk or in the simulator of AWS, and a worker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.people import harbour
from recordings.finishing.runs import finish_due
from recordings.finishing.services import enqueue_finishing
from recordings.models import Recording
from recordings.sources.registry import SOURCES
from recordings.tests.conftest import AWS_KEY, AWS_SECRET, BUCKET, local_aws, woken
from sessions.calls.models import Call, TranscriptLine
from voiceapp.providers.aws.client import aws_client
from voiceapp.providers.errors import ProviderError

from .files import quiet, tone, wav

__all__ = ["harbour", "local_aws", "woken"]

State = Recording.State
CONVERSATION = wav(
    np.concatenate((tone(1), quiet(2), tone(1))), np.concatenate((quiet(1.5), tone(1, loudness=4000), quiet(1.5)))
)


@dataclass
class FolderSource:
    """A source that has its file in a folder, and may be away."""

    folder: Path
    error: ProviderError | None = None
    fetched: list[int] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "file"

    def fetch(self, recording: Recording, into: Path) -> None:
        self.fetched.append(recording.pk)
        if self.error is not None:
            raise self.error
        into.write_bytes(self.file.read_bytes())

    def forget(self, recording: Recording) -> None:
        self.file.unlink(missing_ok=True)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FolderSource:
    made = FolderSource(tmp_path / "source")
    made.folder.mkdir()
    made.file.write_bytes(CONVERSATION)
    monkeypatch.setitem(SOURCES, Recording.Source.BRIDGE, made)
    return made


@pytest.fixture(autouse=True)
def disk(settings: Settings, tmp_path: Path) -> Path:
    """The storage, unless a test names the bucket."""
    settings.RECORDINGS_DIR, settings.FINISHING_DIR = str(tmp_path / "recordings"), str(tmp_path / "finishing")
    settings.LIVEKIT_RECORDING_BUCKET = settings.LIVEKIT_RECORDING_REGION = ""
    settings.OPENAI_API_KEY = ""
    return tmp_path / "recordings"


@pytest.fixture
def in_bucket(settings: Settings, local_aws: str) -> None:
    settings.AWS_ENDPOINT_URL, settings.LIVEKIT_RECORDING_BUCKET = local_aws, BUCKET
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = AWS_KEY, AWS_SECRET
    for key in keys_in_bucket():
        aws_client("s3").delete_object(Bucket=BUCKET, Key=key)


@pytest.fixture(params=["disk", "bucket"])
def stored_keys(request: pytest.FixtureRequest, disk: Path) -> Callable[[], list[str]]:
    """What the storage has: each test that names it runs on the disk and in the bucket."""
    if request.param == "bucket":
        request.getfixturevalue("in_bucket")
        return keys_in_bucket
    return lambda: keys_on(disk)


def keys_on(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def keys_in_bucket() -> list[str]:
    return sorted(each["Key"] for each in aws_client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", ()))


@pytest.fixture
def call(harbour: Organization) -> Call:
    now = timezone.now()
    made = Call.objects.create(
        organization=harbour, carrier_sid="CA" + "1" * 32, state="completed", connected_at=now, ended_at=now
    )
    TranscriptLine.objects.create(call=made, item_id="1", speaker="caller", text="Hello.", spoken_at_ms=0, turn=1)
    return made


@pytest.fixture
def recording(call: Call, source: FolderSource) -> Recording:
    """Over, and its finishing is enqueued."""
    made = Recording.objects.create(call=call, source=Recording.Source.BRIDGE, state=State.RECORDING, external_id="b1")
    assert enqueue_finishing(made)
    return made


def work(later: dt.timedelta = dt.timedelta()) -> int:
    """The worker's run, so much later."""
    with time_machine.travel(timezone.now() + later, tick=True):
        return finish_due()


def now(recording: Recording) -> Recording:
    """As it is stored."""
    return Recording.objects.get(pk=recording.pk)

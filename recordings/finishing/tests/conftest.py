"""A call that a source of this machine has recorded, the storage on disk or in the simulator of AWS, and a worker."""

from __future__ import annotations

import datetime as dt
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
from recordings.tests.conftest import woken
from recordings.tests.places import at_google, in_bucket, on_disk, stored_keys, stored_keys_everywhere
from sessions.calls.models import Call, TranscriptLine
from voiceapp.providers.errors import ProviderError

from .files import quiet, tone, wav

__all__ = ["at_google", "harbour", "in_bucket", "on_disk", "stored_keys", "stored_keys_everywhere", "woken"]

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

    def delete(self, recording: Recording) -> None:
        self.file.unlink(missing_ok=True)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FolderSource:
    made = FolderSource(tmp_path / "source")
    made.folder.mkdir()
    made.file.write_bytes(CONVERSATION)
    monkeypatch.setitem(SOURCES, Recording.Source.BRIDGE, made)
    return made


@pytest.fixture(autouse=True)
def disk(settings: Settings, on_disk: Path) -> Path:
    settings.OPENAI_API_KEY = ""
    return on_disk


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
    return over(call, "b1")


def over(call: Call, external_id: str) -> Recording:
    """Its finishing is enqueued."""
    bridge = Recording.Source.BRIDGE
    made = Recording.objects.create(call=call, source=bridge, state=State.RECORDING, external_id=external_id)
    assert enqueue_finishing(made)
    return made


def work(later: dt.timedelta = dt.timedelta()) -> int:
    """The worker's run, so much later."""
    with time_machine.travel(timezone.now() + later, tick=True):
        return finish_due()


def now(recording: Recording) -> Recording:
    """As it is stored."""
    return Recording.objects.get(pk=recording.pk)

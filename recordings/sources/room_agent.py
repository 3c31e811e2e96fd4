"""The recorder of an agent in a room as a source: what it hears and says, in two channels, the caller first.

The agent's process writes a file of Opus in Ogg while it records; each page of it is whole. An agent that takes the
place of a lost one writes a file of its own. A file's name is where its first sample is on the call's clock, in ms.
"""

from __future__ import annotations

import shutil
import time
import wave
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
from av.error import FFmpegError
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from recordings.models import Recording
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.room_state import RECORDING_ID, enqueue_room_state
from voiceapp.core.kept_texts import KeptText
from voiceapp.providers.errors import ProviderError

from .disk import disk_faults
from .report import RecordingReport, State

NAME = "agent"
RATE = 48_000
# Of both channels.
BYTES_PER_SAMPLE = 4
# A file that is being written grows every 2.5 s (livekit-agents, recorder_io.py).
STILL_WRITTEN_S = 30


def new_id(recording: Recording) -> str:
    """The source's id of it, which participants of the room see while it runs."""
    return RECORDING_ID.format(pk=recording.pk)


def folder_of(external_id: str) -> Path:
    return Path(settings.RECORDINGS_DIR) / "spool" / "rooms" / external_id


def has_agent(recording: Recording) -> bool:
    return RoomAgent.objects.present().filter(call=recording.call_id).exists()


def request_start(recording: Recording) -> RecordingReport:
    """The agent reads in the room's metadata that it is to record. Raises ProviderError if there is no agent."""
    if not has_agent(recording):
        raise ProviderError(NAME, KeptText("no agent is in the room"), permanent=True)
    with transaction.atomic():
        enqueue_room_state(recording.call)
    return _report(recording, State.STARTING)


def request_stop(recording: Recording, external_id: str) -> RecordingReport:
    """The agent reads in the room's metadata that it is to stop."""
    with transaction.atomic():
        running = Recording.objects.filter(pk=recording.pk, state__in=(State.STARTING, State.RECORDING))
        running.update(state=State.STORING)
        enqueue_room_state(recording.call)
    return _report(recording, State.STORING)


def find_report(recording: Recording) -> RecordingReport | None:
    """What the agent has written; None if it has written nothing."""
    parts = _parts(new_id(recording))
    if not parts:
        return None
    newest_s = max(each.stat().st_mtime for each in parts)
    is_written = time.time() - newest_s < STILL_WRITTEN_S or (recording.call.is_live and has_agent(recording))
    return _report(recording, State.RECORDING if is_written else State.STORING, is_fetchable=not is_written)


def fetch(recording: Recording, into: Path) -> None:
    """The agent's file; those of several agents as one. Raises ProviderError, permanent if nothing can be read."""
    parts = _parts(new_id(recording))
    if not parts:
        raise ProviderError(NAME, KeptText("it has written no file"), permanent=True)
    try:
        with disk_faults():
            if len(parts) == 1:
                shutil.copyfile(parts[0], into)
            else:
                _join(parts, into)
    except FFmpegError as exc:
        raise ProviderError(
            NAME, KeptText("its file cannot be read (%(why)s)", why=type(exc).__name__), permanent=True
        ) from exc


def delete(recording: Recording) -> None:
    """What the agent has written. Safe to repeat."""
    shutil.rmtree(folder_of(new_id(recording)), ignore_errors=True)


def _report(recording: Recording, state: Recording.State, *, is_fetchable: bool = False) -> RecordingReport:
    return RecordingReport(
        source=Recording.Source.ROOM_AGENT,
        external_id=new_id(recording),
        state=state,
        reported_at=timezone.now(),
        is_fetchable=is_fetchable,
    )


def _parts(external_id: str) -> list[Path]:
    """By time; a file in which nothing was written yet does not count."""
    found = [each for each in folder_of(external_id).glob("*.ogg") if each.stem.isdigit() and each.stat().st_size]
    return sorted(found, key=lambda each: int(each.stem))


def _join(parts: list[Path], into: Path) -> None:
    """A WAV file that begins with the first part; between parts is silence. Written as it is read."""
    began_ms = int(parts[0].stem)
    with wave.open(str(into), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        written = 0
        for part, following in pairwise([*parts, None]):
            assert part is not None
            start = (int(part.stem) - began_ms) * RATE // 1000
            end = None if following is None else (int(following.stem) - began_ms) * RATE // 1000
            while written < start:
                silent = min(start - written, RATE)
                out.writeframes(bytes(silent * BYTES_PER_SAMPLE))
                written += silent
            for block in _samples(part):
                # What the lost agent wrote after the other one had begun would be heard twice.
                kept = block if end is None else block[: max(end - written, 0) * BYTES_PER_SAMPLE]
                out.writeframes(kept)
                written += len(kept) // BYTES_PER_SAMPLE


def _samples(part: Path) -> Iterator[bytes]:
    """Two channels at RATE, up to where the file is cut off."""
    resampler = av.AudioResampler(format="s16", layout="stereo", rate=RATE)
    with av.open(str(part)) as file:
        for frame in file.decode(audio=0):
            for each in resampler.resample(frame):
                yield bytes(each.planes[0])[: each.samples * BYTES_PER_SAMPLE]

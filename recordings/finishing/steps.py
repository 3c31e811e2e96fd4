"""The steps of the finishing of a recording, in order, as one job of the outbox. It may run twice, and die anywhere.

Whatever was fetched and made is in a folder of the run, and made again by the next one: nothing of it is needed until
the file is stored. From then on only copies are left to delete. A file that its source has stored already, as LiveKit's
egress does, is checked and measured where it is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from django.utils import timezone

from recordings.files import copy_file, delete_key, store_file
from recordings.models import Recording
from recordings.sources.registry import FileSource, forget_copy, source_of
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from voiceapp.core.jobs.long_jobs import extended_lease
from voiceapp.core.jobs.patience import with_patience
from voiceapp.core.kept_texts import KeptText
from voiceapp.core.transactions import release_connections
from voiceapp.providers.errors import ProviderError

from . import services
from .alignment import align
from .audio import Audio, NoAudio, cut_off, read_audio, write_opus
from .services import Step
from .work_folder import folder_of

T = TypeVar("T")

# In the outbox, instead of a provider: the file itself is the reason.
OURS = "recording"
SILENT = KeptText("The recording is silent.")
SHORTEST_MS = 100
# A source's own figure: rounded to seconds, or the time that it was busy.
REPORTED_TOLERANCE_MS = 3000
REPORTED_TOLERANCE = 0.02
# A file is kept without a transcript after this time.
TRANSCRIBED_WITHIN_S = 600
# As low as a process may go by itself: calls on the same machine come first.
NICE = 19


def finish_recording(message: OutboxMessage) -> None:
    """Raises ProviderError where an attempt failed; the recording then says why."""
    recording = services.recording_to_finish(message.body["recording"])
    if recording is None:
        return
    try:
        with extended_lease(outbox, message), folder_of(recording) as folder:
            note = _store(recording, folder, message) if recording.peaks is None else recording.error
            _clean(recording)
        services.close_finishing(recording, note=note)
    except NoAudio as fault:
        services.explain(recording, str(fault))
        raise ProviderError(OURS, str(fault)) from fault
    except ProviderError as fault:
        services.explain(recording, fault.reason if fault.provider == OURS else str(fault))
        raise with_patience(fault, since=message.created_at) from fault
    except OSError as fault:
        why = fault.strerror or type(fault).__name__
        services.explain(recording, KeptText("The worker's disk: %(why)s", why=why))
        raise with_patience(ProviderError("disk", why), since=message.created_at) from fault


def _store(recording: Recording, folder: Path, message: OutboxMessage) -> str:
    """What the operator should know of a file that was stored all the same."""
    is_stored = recording.has_file
    fetched, opus = folder / "fetched", folder / "opus"
    services.begin_step(recording, Step.FETCH)
    release_connections()
    if is_stored:
        copy_file(recording, fetched)
    else:
        _source_of(recording).fetch(recording, fetched)
    services.begin_step(recording, Step.CHECK)
    audio = _check(recording, fetched)
    if not is_stored:
        services.begin_step(recording, Step.TRANSCODE)
        _at_low_priority(lambda: write_opus(fetched, opus))
    services.begin_step(recording, Step.ALIGN)
    note = align(recording, audio, fetched, is_last_try=_age_s(message) > TRANSCRIBED_WITHIN_S)
    # A file that is in the storage already stays there, and says so.
    note = note if any(audio.loud_ms) else SILENT
    services.begin_step(recording, Step.STORE)
    if is_stored:
        services.keep_check(recording, audio, size_bytes=fetched.stat().st_size)
    else:
        _keep(recording, audio, opus)
    return note


def _source_of(recording: Recording) -> FileSource:
    source = source_of(recording)
    if source is None:
        raise ProviderError(OURS, KeptText("the source stored no file"), permanent=True)
    return source


def _check(recording: Recording, path: Path) -> Audio:
    """Raises NoAudio, which a later attempt may not meet, and a permanent ProviderError, which it would."""
    audio = _at_low_priority(lambda: read_audio(path))
    reported_ms = recording.duration_ms or 0
    tolerance_ms = max(REPORTED_TOLERANCE_MS, reported_ms * REPORTED_TOLERANCE)
    if audio.duration_ms < reported_ms - tolerance_ms:
        raise NoAudio(cut_off(audio.duration_ms, reported_ms))
    if audio.duration_ms < SHORTEST_MS:
        raise NoAudio(KeptText("The file has no audio in it."))
    if not any(audio.loud_ms) and not recording.has_file:
        raise ProviderError(OURS, SILENT, permanent=True)
    return audio


def _keep(recording: Recording, audio: Audio, opus: Path) -> None:
    services.choose_key(recording)
    bucket = store_file(recording.key, opus, file_type=Recording.FileType.OGG)
    if not services.keep_file(recording, audio, bucket=bucket, size_bytes=opus.stat().st_size):
        delete_key(bucket, recording.key)


def _clean(recording: Recording) -> None:
    services.begin_step(recording, Step.CLEAN)
    release_connections()
    forget_copy(recording)


def _at_low_priority(work: Callable[[], T]) -> T:
    """In a thread of its own: Linux has a priority for each."""
    with ThreadPoolExecutor(
        1, initializer=lambda: os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
    ) as one:
        return one.submit(work).result()


def _age_s(message: OutboxMessage) -> float:
    return (timezone.now() - message.created_at).total_seconds()

"""This server's own recordings: the spool file that the call has written, as a WAV file."""

from __future__ import annotations

from pathlib import Path

from recordings.models import Recording
from recordings.spool.blocks import NotASpoolFile
from recordings.spool.folder import spool_path
from recordings.spool.wav import write_wav
from voiceapp.core.kept_texts import KeptText
from voiceapp.providers.errors import ProviderError

from .disk import disk_faults


def fetch(recording: Recording, into: Path) -> None:
    """Two channels, the caller first, from the first ms of the stream's clock. Safe to repeat. Raises ProviderError."""
    path = spool_path(recording.external_id or "")
    with disk_faults():
        try:
            write_wav(path, into)
        except FileNotFoundError as exc:
            raise ProviderError(
                "disk", KeptText("%(path)s is not there: do all processes share RECORDINGS_DIR?", path=path)
            ) from exc
        except NotASpoolFile as exc:
            raise ProviderError("disk", str(exc), permanent=True) from exc


def delete(recording: Recording) -> None:
    """The spool file. Safe to repeat. Raises ProviderError."""
    with disk_faults():
        spool_path(recording.external_id or "").unlink(missing_ok=True)

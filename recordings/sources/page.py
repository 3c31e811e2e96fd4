"""The recorder of a caller's own page as a source: a WebM file that comes in pieces while the call goes on.

Each piece names its place in the file, so that one that is sent again, after a lost response or a killed process,
changes nothing. What has arrived is kept, whatever happens to the page.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from recordings.models import Recording
from recordings.spool.folder import spool_folder
from voiceapp.core.kept_texts import KeptText
from voiceapp.providers.errors import ProviderError

from .disk import disk_faults

# How an EBML file begins (RFC 8794, 11.2.1), of which WebM is one.
EBML = b"\x1aE\xdf\xa3"
FOLDER = "pages"


class MissingPiece(Exception):
    """Something before this piece has not arrived, or is lost."""


def path_of(external_id: str) -> Path:
    return spool_folder() / FOLDER / f"{external_id}.webm"


def write_piece(external_id: str, piece: bytes, *, at: int) -> int:
    """How long the file is now, in bytes. Raises MissingPiece, and OSError for the disk."""
    path = path_of(external_id)
    if at == 0:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        # Only its first piece begins a file: one that was deleted does not come back.
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (0 if at else os.O_CREAT), 0o600)
    except FileNotFoundError as exc:
        raise MissingPiece from exc
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if at > file.seek(0, os.SEEK_END):
            raise MissingPiece
        file.seek(at)
        file.write(piece)
        return file.seek(0, os.SEEK_END)


def fetch(recording: Recording, into: Path) -> None:
    """Copy what has arrived. Raises ProviderError, permanent if nothing has."""
    with disk_faults():
        try:
            shutil.copyfile(path_of(recording.external_id or ""), into)
        except FileNotFoundError as exc:
            raise ProviderError("page", KeptText("it has sent nothing that is still there"), permanent=True) from exc


def delete(recording: Recording) -> None:
    """What has arrived. Safe to repeat. Raises ProviderError."""
    with disk_faults():
        path_of(recording.external_id or "").unlink(missing_ok=True)

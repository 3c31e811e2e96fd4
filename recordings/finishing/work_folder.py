"""Where a worker keeps the files that it is finishing: FINISHING_DIR, on its own disk. One run at a time uses it.

What a process that died left there is removed at the next run. The lock ends with its process, however that ends.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from recordings.models import Recording

LOCK = ".lock"


@contextmanager
def only_run() -> Iterator[bool]:
    """Whether this process has the folder now; False if another one has. It is empty at the beginning."""
    folder = Path(settings.FINISHING_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        for left in leftovers():
            shutil.rmtree(left)
        yield True


def leftovers() -> list[Path]:
    """Files of recordings that are being finished or, without a run, were when a process died."""
    folder = Path(settings.FINISHING_DIR)
    return sorted(each for each in folder.iterdir() if each.name != LOCK) if folder.is_dir() else []


@contextmanager
def folder_of(recording: Recording) -> Iterator[Path]:
    """Empty, and gone afterwards."""
    folder = Path(settings.FINISHING_DIR) / str(recording.pk)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

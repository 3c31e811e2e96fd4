"""kombu's broker in a folder, made safe for several processes: none sees half a file that another is writing.

Stock kombu writes in place and moves through the system's temporary folder: a worker that read too early died of it.
A message that was taken and not acknowledged is lost when its consumer dies; the job itself is in the database.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import structlog
from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

log = structlog.get_logger(__name__)

ENDING = ".msg"


class Channel(filesystem.Channel):
    """A message appears by a rename and is taken by a rename; bindings are read and written under a lock."""

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]  # kombu disagrees with itself
        name = f"{time.time_ns()}_{uuid.uuid4().hex}.{queue}{ENDING}"
        folder = Path(self.data_folder_out)
        # With a leading dot it belongs to no queue yet.
        written = folder / f".{name}"
        written.write_text(dumps(payload))
        written.rename(folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.partition(".")[2] != f"{queue}{ENDING}":
                continue
            taken = folder / f".{name}"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:
                continue  # another worker was faster
            content = taken.read_text()
            taken.unlink()
            try:
                message: dict[str, Any] = loads(content)
            except ValueError:
                # Cut short when the machine lost its power.
                log.warning("unreadable_message_dropped", name=name)
            else:
                return message
        raise Empty

    def get_table(self, exchange: str) -> list[Any]:
        with self._bindings(fcntl.LOCK_SH):
            return super().get_table(exchange)

    def _queue_bind(self, *args: Any) -> None:
        with self._bindings(fcntl.LOCK_EX):
            super()._queue_bind(*args)

    def _delete(self, *args: Any, **kwargs: Any) -> None:
        with self._bindings(fcntl.LOCK_EX):
            super()._delete(*args, **kwargs)

    @contextlib.contextmanager
    def _bindings(self, kind: int) -> Iterator[None]:
        folder = Path(self.control_folder)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("a") as file:
            fcntl.flock(file, kind)
            yield


class Transport(filesystem.Transport):
    """What `filesystem://` means here (voiceapp/celery.py)."""

    Channel = Channel
    polling_interval = 0.25

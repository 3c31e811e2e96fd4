"""The thread that writes what calls take down into their spool files. No call waits for it, however slow the disk is.

A file is on the disk (fdatasync) every five seconds of its call, if the disk keeps up, and when it is closed. What a
process had written survives its end without that; only a machine that loses power loses the seconds since.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

import structlog

from .blocks import FileHeader, Said, header_line, packed

logger = structlog.get_logger("spool")

SYNC_EVERY_S = 5.0
# With more than this waiting, the disk is behind: writing comes first.
SYNC_IF_WAITING_AT_MOST = 8
# Of one file: so many blocks, a second each. Then the disk is given up, rather than the memory filled.
MOST_WAITING = 10
TOO_SLOW = "The disk is too slow."


class SpoolFile:
    """One call's file, as its call sees it. `fault`: why nothing more is written; empty while all is well.

    Each counter is changed by one thread alone.
    """

    def __init__(self, writer: SpoolWriter, path: Path, header: FileHeader) -> None:
        self.path = path
        self.fault = ""
        self.written_blocks = 0  # changed by the writing thread
        self._queued_blocks = 0  # changed by the call
        self._done_blocks = 0  # changed by the writing thread
        self._writer = writer
        self._header = header
        self._descriptor = -1
        self._synced_at = 0.0

    def append(self, said: Said) -> None:
        """Write it some time soon."""
        if self.fault:
            return
        if self._queued_blocks - self._done_blocks >= MOST_WAITING:
            self.fault = TOO_SLOW
            return
        self._queued_blocks += 1
        self._writer.put(self, said)

    def close(self) -> Future[None]:
        """Done when everything is on the disk, or will never be (`fault`)."""
        return self._writer.put_last(self, deletes=False)

    def delete(self) -> Future[None]:
        """Write nothing more, and remove the file."""
        self.fault = self.fault or "It was deleted."
        return self._writer.put_last(self, deletes=True)

    # In the writing thread

    def _write(self, said: Said, *, may_sync: bool) -> None:
        self._done_blocks += 1
        if self.fault:
            return
        try:
            if self._descriptor < 0:
                self._open()
            _write_all(self._descriptor, packed(said))
            self.written_blocks += 1
            if may_sync and time.monotonic() - self._synced_at >= SYNC_EVERY_S:
                self._sync()
        except OSError as exc:
            self._fail(exc)

    def _open(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        _write_all(self._descriptor, header_line(self._header))
        self._synced_at = time.monotonic()

    def _sync(self) -> None:
        os.fdatasync(self._descriptor)
        self._synced_at = time.monotonic()

    def _close(self, *, deletes: bool) -> None:
        try:
            if self._descriptor >= 0 and not deletes:
                self._sync()
        except OSError as exc:
            self._fail(exc)
        self._let_go()
        if deletes:
            with suppress(OSError):  # the sweep tries again
                self.path.unlink(missing_ok=True)

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            with suppress(OSError):
                os.close(descriptor)

    def _fail(self, exc: OSError) -> None:
        self.fault = self.fault or f"{exc.strerror or type(exc).__name__}."
        logger.error("spool file not written", path=str(self.path), reason=self.fault)
        self._let_go()


class SpoolWriter:
    """Begins with the first block. `put` and `put_last` return at once."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[SpoolFile, Said | None, bool, Future[None] | None]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def put(self, file: SpoolFile, said: Said) -> None:
        self._start()
        self._jobs.put((file, said, False, None))

    def put_last(self, file: SpoolFile, *, deletes: bool) -> Future[None]:
        self._start()
        done: Future[None] = Future()
        self._jobs.put((file, None, deletes, done))
        return done

    def idle(self, *, within_s: float) -> None:
        """Wait until everything put so far is done. Raises TimeoutError."""
        self.put_last(SpoolFile(self, Path(os.devnull), FileHeader(tape="", call="")), deletes=False).result(within_s)

    def _start(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="spool-writer", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            file, said, deletes, done = self._jobs.get()
            try:
                if said is not None:
                    file._write(said, may_sync=self._jobs.qsize() <= SYNC_IF_WAITING_AT_MOST)
                else:
                    file._close(deletes=deletes)
            except Exception:
                file.fault = file.fault or "Our own fault: the log has it."
                logger.exception("spool file not written", path=str(file.path))
            if done is not None:
                done.set_result(None)


def _write_all(descriptor: int, content: bytes) -> None:
    """A disk that fills up writes a part, then refuses the rest."""
    while content:
        content = content[os.write(descriptor, content) :]


spool_writer = SpoolWriter()

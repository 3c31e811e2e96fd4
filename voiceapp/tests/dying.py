"""`kill -9` of a process at a chosen point of its work."""

from __future__ import annotations

import faulthandler
import os
import pkgutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any
from unittest.mock import patch

import django.db
from django.db import connections

from voiceapp.tests.waiting import soon

# A module or `module:Class`, a function there, and whether before or after it did its work.
Point = tuple[str, str, str]

_DATABASE_FOLDER = os.path.dirname(django.db.__file__)
_HANGS_AFTER_S = 60


def fork() -> int:
    """As `os.fork()`, but never while another thread of the tests is inside SQLite, as a server's that closes its
    connection: the child would wait forever for the mutex that this thread holds.
    """
    connections.close_all()
    interval = sys.getswitchinterval()
    # No other thread runs Python between the last look and the fork.
    sys.setswitchinterval(60)
    try:
        soon(lambda: not any(map(_is_in_database, _other_threads())))
        return os.fork()
    finally:
        sys.setswitchinterval(interval)


def _other_threads() -> list[FrameType]:
    return [frame for ident, frame in sys._current_frames().items() if ident != threading.get_ident()]


def _is_in_database(frame: FrameType) -> bool:
    return any(each.f_code.co_filename.startswith(_DATABASE_FOLDER) for each in _callers(frame))


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame:
        yield frame
        frame = frame.f_back


def in_a_process_that_dies(work: Callable[[], object], point: Point) -> bool:
    """Do the work in a child that is killed at the point; whether it was.

    Raises AssertionError with the child's stack if it hangs.
    """
    place_name, name, when = point
    place = pkgutil.resolve_name(place_name)
    real = getattr(place, name)
    with tempfile.TemporaryFile("w+") as hangs:
        child = fork()
        if child == 0:
            faulthandler.dump_traceback_later(_HANGS_AFTER_S, exit=True, file=hangs)

            def die() -> None:
                os.kill(os.getpid(), signal.SIGKILL)

            def deadly(*args: Any, **kwargs: Any) -> Any:
                if when == "before":
                    die()
                result = real(*args, **kwargs)
                die()
                return result

            try:
                with patch.object(place, name, deadly):
                    work()
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        hangs.seek(0)
        stack = hangs.read()
    assert not stack, stack
    return os.WIFSIGNALED(status)

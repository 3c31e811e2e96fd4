"""`kill -9` of a process at a chosen point of its work."""

from __future__ import annotations

import os
import pkgutil
import signal
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from django.db import connections

# A module or `module:Class`, a function there, and whether before or after it did its work.
Point = tuple[str, str, str]


def in_a_process_that_dies(work: Callable[[], object], point: Point) -> bool:
    """Do the work in a child that is killed at the point; whether it was."""
    place_name, name, when = point
    place = pkgutil.resolve_name(place_name)
    real = getattr(place, name)
    connections.close_all()
    child = os.fork()
    if child == 0:

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
    return os.WIFSIGNALED(status)

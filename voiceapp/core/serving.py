"""This process, for admission and health checks: its name, its live calls, and whether it is draining."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass

from django.conf import settings

from .per_process import per_process


@dataclass
class Serving:
    """Written by one thread, the registry of live calls. Any thread may read single attributes.

    In the database process (database_process.py) it is a copy of the state of the process that carries the calls, whose
    name is `carrier`.
    """

    live_calls: int = 0
    is_draining: bool = False
    carrier: str = ""

    @property
    def is_full(self) -> bool:
        """Whether this process carries as many calls as it may."""
        limit: int = settings.MAX_LIVE_CALLS
        return self.live_calls >= limit


serving = Serving()


def process_name() -> str:
    """The name of the process that carries the calls."""
    return serving.carrier or _own_name()


@per_process
def _own_name() -> str:
    """Differs from that of every other process, also of one that later gets the same id on the same machine."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"

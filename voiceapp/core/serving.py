"""State of this process, for admission and health checks: its live calls, and whether it is draining."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Serving:
    """Written by one thread, the registry of live calls. Any thread may read single attributes."""

    live_calls: int = 0
    is_draining: bool = False


serving = Serving()

"""What this process is doing right now, for its doors and its health: calls it carries, and whether it is stopping."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Serving:
    """Written by the owner of the live calls, read by everybody. One thread writes; reads are single attributes."""

    live_calls: int = 0
    is_draining: bool = False


serving = Serving()

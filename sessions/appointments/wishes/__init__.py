"""What a caller wishes for, as days and times: “next Friday at 9”, “in two weeks”, “Thursday morning”. Pure."""

from .reading import NotUnderstood, read_wish
from .wish import DoubledTime, SkippedTime, Wish

__all__ = ["DoubledTime", "NotUnderstood", "SkippedTime", "Wish", "read_wish"]

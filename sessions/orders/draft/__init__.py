"""The draft of an order, computed: no database, no clock."""

from .changes import Refreshed, apply_changes, refresh
from .lines import Chosen, Line, LineJson, Refused, counted, lines_from_json, lines_to_json

__all__ = [
    "Chosen",
    "Line",
    "LineJson",
    "Refreshed",
    "Refused",
    "apply_changes",
    "counted",
    "lines_from_json",
    "lines_to_json",
    "refresh",
]

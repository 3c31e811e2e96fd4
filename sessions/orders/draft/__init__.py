"""The draft of an order, computed: no database, no clock."""

from .changes import apply_changes
from .lines import Chosen, Line, LineJson, counted, lines_from_json, lines_to_json
from .refreshing import Refreshed, refresh
from .refusal import Refused

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

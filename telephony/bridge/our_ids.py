"""Ids that are unique in one call, for what a provider names.

A provider's own ids may repeat: some servers count from 1 in each response or in each session.
"""

from __future__ import annotations

from sessions.calls.short_ids import short_id

# With its number it fits into every column and frame that ids go to.
LONGEST_ID = 64


class OurIds:
    """One per call, for all its sessions."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def mint(self, theirs: str) -> str:
        """The provider's id if the call has not had it yet, otherwise the same with a number behind it."""
        base = short_id(theirs, longest=LONGEST_ID)
        ours, count = base, 1
        while ours in self._taken:
            count += 1
            ours = f"{base}~{count}"
        self._taken.add(ours)
        return ours

"""What an API key may be allowed: an area, and reading or writing in it."""

from __future__ import annotations

import enum


class Scope(enum.StrEnum):
    """Writing does not include reading: a key that only starts calls learns nothing of others."""

    CALLS_READ = "calls:read"
    CALLS_WRITE = "calls:write"
    RECORDINGS_READ = "recordings:read"
    RECORDINGS_WRITE = "recordings:write"
    SESSIONS_WRITE = "sessions:write"

    @property
    def words(self) -> str:
        return WORDS[self]


WORDS = {
    Scope.CALLS_READ: "Read calls and their agents",
    Scope.CALLS_WRITE: "Start, change and end calls",
    Scope.RECORDINGS_READ: "Read recordings",
    Scope.RECORDINGS_WRITE: "Start, change and stop recordings",
    Scope.SESSIONS_WRITE: "Open voice sessions for browsers",
}

"""What a source reports of a recording, in our own terms: each source translates its provider's."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from recordings.models import Recording

State = Recording.State


@dataclass(frozen=True, slots=True)
class RecordingReport:
    """`state` is None for one that this product does not know; `key` is the requested file name, if any.

    `is_fetchable`: it is over, and the source has its whole file, which is still to be fetched and stored.
    """

    source: Recording.Source
    external_id: str
    state: Recording.State | None
    key: str = ""
    started_at: dt.datetime | None = None
    reported_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    error: str = ""
    size_bytes: int | None = None
    duration_ms: int | None = None
    is_fetchable: bool = False

    @property
    def is_over(self) -> bool:
        return self.state is not None and self.state not in Recording.IN_PROGRESS

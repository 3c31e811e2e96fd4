"""What a rule has found out about one subject. Plain values: no Django."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class Verdict(enum.Enum):
    """UNKNOWN: there was nothing to measure, so that an open alert stays as it is."""

    TRUE = enum.auto()
    FINE = enum.auto()
    UNKNOWN = enum.auto()


@dataclass(frozen=True, slots=True)
class Finding:
    """`since`: when what was measured began. `facts` are values of JSON, for the alert's sentence."""

    verdict: Verdict
    since: dt.datetime
    facts: Mapping[str, object] = field(default_factory=dict)
    subject: str = ""
    subject_name: str = ""

"""How a moment reads in the answers of the APIs."""

from __future__ import annotations

import datetime as dt


def iso_z(moment: dt.datetime | None) -> str | None:
    """`2024-01-01T00:00:00Z`: whole seconds of UTC, as the specs show them."""
    return None if moment is None else f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"

"""The format of timestamps in the responses of the APIs."""

from __future__ import annotations

import datetime as dt


def iso_z(timestamp: dt.datetime | None) -> str | None:
    """`2024-01-01T00:00:00Z`: whole seconds of UTC, as the specs show them."""
    return None if timestamp is None else f"{timestamp.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"

"""Faults of this machine's disk, as each source reports them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from voiceapp.providers.errors import ProviderError


@contextmanager
def disk_faults() -> Iterator[None]:
    """Raise a ProviderError that may pass in the place of an OSError."""
    try:
        yield
    except OSError as exc:
        raise ProviderError("disk", exc.strerror or type(exc).__name__) from exc

"""Finding the kept audio of a greeting."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from functools import lru_cache
from uuid import UUID

from django.conf import settings

from .models import Greeting, KeptGreeting

# A second of audio has 8 KB.
MOST_IN_MEMORY = 200


def kept_greeting(organization_id: UUID, greeting: Greeting) -> KeptGreeting | None:
    """Without its audio, which is loaded on access."""
    return (
        KeptGreeting.objects.defer("audio").filter(organization=organization_id, **asdict(greeting)).first()
        if settings.KEEP_GREETINGS
        else None
    )


def kept_audio(organization_id: UUID, greeting: Greeting) -> bytes:
    """µ-law at 8 kHz; empty while there is none. Read once per process."""
    kept = kept_greeting(organization_id, greeting)
    return _audio(kept.pk, kept.made_at) if kept is not None and kept.made_at is not None else b""


@lru_cache(maxsize=MOST_IN_MEMORY)
def _audio(pk: int, made_at: dt.datetime) -> bytes:
    """`made_at`: made again, it is other audio."""
    return bytes(KeptGreeting.objects.values_list("audio", flat=True).get(pk=pk))

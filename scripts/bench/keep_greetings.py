"""Gives the greetings of a throw-away database their audio, as a worker does that has each spoken by its provider.

Usage, in the environment of the product: python scripts/bench/keep_greetings.py
"""

from __future__ import annotations

import django
from django.utils import timezone

LOUD = bytes(range(0x80, 0xC0))
SECONDS = 2


def keep() -> int:
    django.setup()
    from agents.greetings.models import KeptGreeting

    audio = LOUD * (SECONDS * 8000 // len(LOUD))
    return KeptGreeting.objects.update(audio=audio, state=KeptGreeting.State.DONE, done_at=timezone.now())


if __name__ == "__main__":
    print(keep())

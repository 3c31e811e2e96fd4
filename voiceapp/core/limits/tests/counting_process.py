"""One of several processes that count the same client on the same Redis: 8 threads, two requests each."""

from __future__ import annotations

import os
import sys

import django
import time_machine


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceapp.settings")
    django.setup()
    from django.conf import settings

    from voiceapp.core.limits.counting import count
    from voiceapp.core.limits.limit import SESSION_CREATION

    from .crowd import at_once

    settings.RATELIMIT_CACHE_PREFIX = os.environ["COUNT_PREFIX"]
    print("ready", flush=True)
    sys.stdin.readline()
    with time_machine.travel(os.environ["COUNT_AT"], tick=False):
        pairs = at_once(8, lambda: [count(SESSION_CREATION, "subject:alice").used for _ in range(2)])
    print(*(used for pair in pairs for used in pair), flush=True)


if __name__ == "__main__":
    main()

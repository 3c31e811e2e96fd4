"""Prints how many stored events a worker processes per second. Run in the product's environment."""

from __future__ import annotations

import json
import time

import django

django.setup()

from telephony.events.models import ProviderEvent  # noqa: E402 - models need the setup
from telephony.tasks import process_events  # noqa: E402 - models need the setup


def main() -> None:
    waiting = ProviderEvent.objects.filter(state="waiting")
    before, began = waiting.count(), time.perf_counter()
    process_events()
    took_s = time.perf_counter() - began
    print(json.dumps({"per_s": (before - waiting.count()) / took_s}))


if __name__ == "__main__":
    main()

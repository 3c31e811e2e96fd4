"""Runs all checks at once, so that the slowest alone decides how long it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from django.db import connections

from . import announcements, companies, house, rooms
from .finding import Finding, ill

PATIENCE_S = 2.0

Check = Callable[[], Finding]
CHECKS: Sequence[tuple[str, Check]] = (
    ("database", house.check_database),
    ("cache", house.check_cache),
    ("queue", house.check_queue),
    ("worker", house.check_worker),
    ("outbox", house.check_outbox),
    ("openai", companies.check_openai),
    ("twilio", companies.check_twilio),
    ("webhooks", companies.check_webhooks),
    ("livekit", rooms.check_livekit),
    ("recordings", rooms.check_recordings),
    ("announcements", announcements.check_announcements),
    ("records", announcements.check_records),
    ("secret", announcements.check_secret),
    ("numbers", house.check_agents),
    ("public address", companies.check_public_address),
    ("internal key", house.check_internal_key),
    ("simulators", house.check_simulators),
    ("static files", house.check_static_files),
    ("speech", house.check_speech),
)


def examine(checks: Sequence[tuple[str, Check]] = CHECKS, *, patience_s: float = PATIENCE_S) -> list[Finding]:
    """One finding per check, in their order; a check that breaks or takes too long is a finding too."""
    found: dict[str, Finding] = {}
    # Daemons: a check that hangs in somebody's library must not hold the command.
    threads = [threading.Thread(target=_ask, args=(name, check, found), daemon=True) for name, check in checks]
    ends_at = time.monotonic() + patience_s
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(ends_at - time.monotonic(), 0))
    late = "Try it by hand; something between here and there swallows the connection."
    return [found.get(name) or ill(name, f"no answer in {patience_s:g} s", late) for name, _ in checks]


def _ask(name: str, check: Check, found: dict[str, Finding]) -> None:
    try:
        found[name] = check()
    except Exception as exc:  # noqa: BLE001 - whatever a driver raises is what this command is there to report
        found[name] = ill(name, f"{type(exc).__name__}", FIXES.get(name, "Look at its settings and at the log."))
    finally:
        connections.close_all()


FIXES = {
    "database": "Check DATABASE_URL, and that the database server runs; then manage.py migrate.",
    "cache": "Check REDIS_URL, and that Redis runs.",
    "queue": "Check CELERY_BROKER_URL, and that the broker runs.",
    "worker": "Check CELERY_BROKER_URL, and that the broker runs.",
}

"""Runs all checks at once, so that the slowest alone decides how long it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from django.db import connections

from . import announcements, mail, menus, product, providers, rooms
from .finding import Finding, failed

TIMEOUT_S = 2.0

Check = Callable[[], Finding]
CHECKS: Sequence[tuple[str, Check]] = (
    # The key and the model first: with them alone one can talk on the call page.
    ("openai", providers.check_openai),
    ("database", product.check_database),
    ("cache", product.check_cache),
    ("queue", product.check_queue),
    ("worker", product.check_worker),
    ("outbox", product.check_outbox),
    ("vapi", providers.check_vapi),
    ("twilio", providers.check_twilio),
    ("webhooks", providers.check_webhooks),
    ("mail", mail.check_mail),
    ("livekit", rooms.check_livekit),
    ("room agents", rooms.check_room_agents),
    ("recordings", rooms.check_recordings),
    ("announcements", announcements.check_announcements),
    ("records", announcements.check_records),
    ("secret", announcements.check_secret),
    ("numbers", product.check_agents),
    ("menus", menus.check_menus),
    ("public address", providers.check_public_address),
    ("internal key", product.check_internal_key),
    ("simulators", product.check_simulators),
    ("static files", product.check_static_files),
    ("speech", product.check_speech),
)


def examine(checks: Sequence[tuple[str, Check]] = CHECKS, *, timeout_s: float = TIMEOUT_S) -> list[Finding]:
    """One finding per check, in order; a check that fails or takes too long is a finding, too."""
    found: dict[str, Finding] = {}
    # Daemons: a check that hangs in a library must not block the command.
    threads = [threading.Thread(target=_run, args=(name, check, found), daemon=True) for name, check in checks]
    ends_at = time.monotonic() + timeout_s
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(ends_at - time.monotonic(), 0))
    late = "Test the connection by hand; something drops its packets."
    return [found.get(name) or failed(name, f"no response in {timeout_s:g} s", late) for name, _ in checks]


def _run(name: str, check: Check, found: dict[str, Finding]) -> None:
    try:
        found[name] = check()
    except Exception as exc:  # noqa: BLE001 - any error of a driver is a finding
        found[name] = failed(name, f"{type(exc).__name__}", FIXES.get(name, "Check its settings and the log."))
    finally:
        connections.close_all()


FIXES = {
    "database": "Check DATABASE_URL, and that the database server runs; then manage.py migrate.",
    "cache": "Check REDIS_URL, and that Redis runs.",
    "queue": "Check CELERY_BROKER_URL, and that the broker runs.",
    "worker": "Check CELERY_BROKER_URL, and that the broker runs.",
}

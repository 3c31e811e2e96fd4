"""Checks of the product itself: database, cache, queue, worker, outbox, settings, files."""

from __future__ import annotations

import datetime as dt
from importlib.util import find_spec

from celery import current_app
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.cache import caches
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from sessions.messages.endpoints.models import WebhookEndpoint
from sessions.messages.models import OutboxMessage
from telephony.twilio.models import PhoneNumber
from voiceapp import readiness

from .finding import Finding, failed, passed, skipped

WORKER_TIMEOUT_S = 1.0
LATE = dt.timedelta(minutes=2)
MIN_KEY_CHARACTERS = 32
STYLES = "voiceapp/admin.css"


def check_database() -> Finding:
    readiness.check_database()
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    vendor = connection.vendor
    if missing:
        return failed("database", f"{vendor} responds; {len(missing)} migrations are missing", "Run manage.py migrate.")
    return passed("database", f"{vendor} responds; migrated")


def check_cache() -> Finding:
    readiness.check_cache()
    where = "Redis" if settings.REDIS_URL else "this process's memory"
    return passed("cache", f"{where} ({type(caches['default']).__name__})")


def check_queue() -> Finding:
    readiness.check_queue()
    kind = settings.CELERY_BROKER_URL.partition(":")[0]
    return passed("queue", f"{kind} takes messages")


def check_worker() -> Finding:
    """Pings the workers. One that is busy for longer than the time-out looks absent."""
    if settings.CELERY_BROKER_URL.startswith("sqs:"):
        return skipped("worker", "workers cannot be pinged over SQS; check whether the outbox is late")
    responses = current_app.control.ping(timeout=WORKER_TIMEOUT_S) or []
    if responses:
        return passed("worker", f"{len(responses)} responded")
    return failed("worker", "no worker responded", "Start one: celery -A voiceapp worker --beat.")


def check_outbox() -> Finding:
    waiting = OutboxMessage.objects.filter(state="waiting")
    late = waiting.filter(last_error="", due_at__lt=timezone.now() - LATE).count()
    failures = OutboxMessage.objects.filter(state="failed").count()
    if late:
        return failed(
            "outbox", f"{late} are due for more than two minutes, {failures} failed", "Is a worker with beat running?"
        )
    paused = WebhookEndpoint.objects.exclude(paused_at=None).exclude(pause_reason="")
    if names := ", ".join(f"{each} of {each.organization}" for each in paused.select_related("organization")[:5]):
        fix = "Admin, Webhook endpoints: fix the receiver, choose “Resume”, then “Replay all failed”."
        return failed("outbox", f"paused after days of failures: {names}", fix)
    if failures:
        fix = "Admin, Webhook deliveries: look at the last error, fix the receiver, choose “Retry”."
        return failed("outbox", f"{failures} failed", fix)
    retrying = waiting.exclude(last_error="").count()
    return passed("outbox", f"nothing is late; {retrying} being retried" if retrying else "nothing is late")


def check_agents() -> Finding:
    """Every active number has an agent that answers."""
    numbers = list(PhoneNumber.objects.filter(is_active=True).select_related("agent", "organization")[:200])
    if not numbers:
        return failed("numbers", "no phone number is set up", "Run manage.py seed_demo, or add a number in the admin.")
    unanswered = [number.number for number in numbers if not is_answered(number)]
    if unanswered:
        return failed(
            "numbers", f"no agent answers {', '.join(unanswered[:5])}", "Publish the agent of the number in the admin."
        )
    return passed("numbers", f"{len(numbers)} set up, each with a published agent")


def is_answered(number: PhoneNumber) -> bool:
    agent = number.agent or number.organization.agents.filter(is_default=True).first()
    return agent is not None and agent.published_version_id is not None


def check_internal_key() -> Finding:
    key = settings.INTERNAL_API_KEY
    fix = "Set INTERNAL_API_KEY to at least 32 random characters."
    if not key:
        return failed("internal key", "INTERNAL_API_KEY is not set: /api/realtime/* returns 401 to everyone", fix)
    if len(key) < MIN_KEY_CHARACTERS:
        return failed("internal key", f"INTERNAL_API_KEY is shorter than {MIN_KEY_CHARACTERS} characters", fix)
    return passed("internal key", "set")


def check_static_files() -> Finding:
    if settings.DEBUG or settings.WHITENOISE_USE_FINDERS:
        found = finders.find(STYLES)
    else:
        found = str(settings.STATIC_ROOT / STYLES) if (settings.STATIC_ROOT / STYLES).exists() else None
    if found:
        return passed("static files", "found")
    return failed("static files", f"{STYLES} is missing", "Run make static.")


def check_speech() -> Finding:
    """The packages by which the simulators recognize and synthesize speech."""
    if not settings.SIMULATORS:
        return skipped("speech", "only the simulators need it")
    missing = [name for name in ("pocketsphinx", "espeakng_loader", "numpy") if find_spec(name) is None]
    if missing:
        return failed("speech", f"{', '.join(missing)} missing", "Run make setup-simulators.")
    return passed("speech", "pocketsphinx and espeak-ng are installed")


def check_simulators() -> Finding:
    return passed("simulators", ", ".join(settings.SIMULATORS) or "none")

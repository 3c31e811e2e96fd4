"""Checks of our own house: database, cache, queue, worker, outbox, settings, files."""

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

from sessions.messages.models import OutboxMessage
from telephony.twilio.models import PhoneNumber
from voiceapp import readiness

from .finding import Finding, ill, skipped, well

WORKER_ANSWERS_WITHIN_S = 1.0
LATE = dt.timedelta(minutes=2)
SHORTEST_KEY = 32
STYLES = "voiceapp/admin.css"


def check_database() -> Finding:
    readiness.check_database()
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    vendor = connection.vendor
    if missing:
        return ill("database", f"{vendor} answers; {len(missing)} migrations are missing", "Run manage.py migrate.")
    return well("database", f"{vendor} answers; migrated")


def check_cache() -> Finding:
    readiness.check_cache()
    where = "Redis" if settings.REDIS_URL else "this process's memory"
    return well("cache", f"{where} ({type(caches['default']).__name__})")


def check_queue() -> Finding:
    readiness.check_queue()
    kind = settings.CELERY_BROKER_URL.partition(":")[0]
    return well("queue", f"{kind} takes messages")


def check_worker() -> Finding:
    """Asks the workers to answer; one that is busy for longer than that looks absent."""
    if settings.CELERY_BROKER_URL.startswith("sqs:"):
        return skipped("worker", "SQS cannot ask workers; look whether the outbox is late")
    answers = current_app.control.ping(timeout=WORKER_ANSWERS_WITHIN_S) or []
    if answers:
        return well("worker", f"{len(answers)} answered")
    return ill("worker", "no worker answered", "Start one: celery -A voiceapp worker --beat.")


def check_outbox() -> Finding:
    late = OutboxMessage.objects.filter(state="waiting", created_at__lt=timezone.now() - LATE).count()
    failed = OutboxMessage.objects.filter(state="failed").count()
    if late:
        return ill(
            "outbox", f"{late} wait for more than two minutes, {failed} failed", "Is a worker with beat running?"
        )
    if failed:
        fix = "Admin, Webhook deliveries: look at the last error, fix the receiver, choose “Retry”."
        return ill("outbox", f"{failed} failed", fix)
    return well("outbox", "nothing is late")


def check_agents() -> Finding:
    """Every active number has an agent that answers."""
    numbers = list(PhoneNumber.objects.filter(is_active=True).select_related("agent", "organization")[:200])
    if not numbers:
        return ill("numbers", "no phone number is set up", "Run manage.py seed_demo, or add a number in the admin.")
    deaf = [number.number for number in numbers if not is_answered(number)]
    if deaf:
        return ill("numbers", f"nobody answers {', '.join(deaf[:5])}", "Publish the agent of the number in the admin.")
    return well("numbers", f"{len(numbers)} set up, each with a published agent")


def is_answered(number: PhoneNumber) -> bool:
    agent = number.agent or number.organization.agents.filter(is_default=True).first()
    return agent is not None and agent.published_version_id is not None


def check_internal_key() -> Finding:
    key = settings.INTERNAL_API_KEY
    fix = "Set INTERNAL_API_KEY to at least 32 random characters."
    if not key:
        return ill("internal key", "INTERNAL_API_KEY is not set: /api/realtime/* answers 401 to everyone", fix)
    if len(key) < SHORTEST_KEY:
        return ill("internal key", f"INTERNAL_API_KEY is shorter than {SHORTEST_KEY} characters", fix)
    return well("internal key", "set")


def check_static_files() -> Finding:
    if settings.DEBUG or settings.WHITENOISE_USE_FINDERS:
        found = finders.find(STYLES)
    else:
        found = str(settings.STATIC_ROOT / STYLES) if (settings.STATIC_ROOT / STYLES).exists() else None
    if found:
        return well("static files", "found")
    return ill("static files", f"{STYLES} is not there", "Run make static.")


def check_speech() -> Finding:
    """The packages by which the simulators recognize and synthesize speech."""
    if not settings.SIMULATORS:
        return skipped("speech", "only the simulators need it")
    missing = [name for name in ("pocketsphinx", "espeakng_loader", "numpy") if find_spec(name) is None]
    if missing:
        return ill("speech", f"{', '.join(missing)} missing", "Run make setup-simulators.")
    return well("speech", "pocketsphinx and espeak-ng are installed")


def check_simulators() -> Finding:
    return well("simulators", ", ".join(settings.SIMULATORS) or "none")

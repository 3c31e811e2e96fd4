"""`/metrics` for Prometheus: on the internal key, or on a private listener without one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Thread
from wsgiref.simple_server import WSGIServer

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Metric,
    generate_latest,
    start_http_server,
)
from prometheus_client.registry import RestrictedRegistry

from agents.greetings.services import greetings
from agents.invitations.mail import invitation_mails
from sessions.analytics.changes import recounts
from sessions.messages.outbox import outbox
from telephony.events.inbox import inbox
from voiceapp.core.api.internal_key import without_internal_key
from voiceapp.core.jobs.metrics import JobsCollector
from voiceapp.core.metrics import max_live_calls, of_database_process

logger = structlog.get_logger("metrics")

REGISTRY.register(JobsCollector((outbox, inbox, greetings, recounts, invitation_mails)))
max_live_calls.set_function(lambda: settings.MAX_LIVE_CALLS)


class BothProcesses(CollectorRegistry):
    """The metrics of this process, and what its database process has counted."""

    def collect(self) -> Iterator[Metric]:
        return of_database_process.added_to(REGISTRY.collect())

    def restricted_registry(self, names: Iterable[str]) -> RestrictedRegistry:
        return REGISTRY.restricted_registry(names)


both_processes = BothProcesses()


def metrics(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if (refusal := without_internal_key(request)) is not None:
        return refusal
    return HttpResponse(generate_latest(both_processes), content_type=CONTENT_TYPE_LATEST)


def start_private_listener(address: str) -> tuple[WSGIServer, Thread]:
    """Serve the same without a key at `host:port`, which only the own network may reach."""
    host, _, port = address.rpartition(":")
    listener = start_http_server(int(port), addr=host.strip("[]") or "127.0.0.1", registry=both_processes)
    logger.info("metrics", address=address)
    return listener

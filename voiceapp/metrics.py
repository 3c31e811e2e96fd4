"""`/metrics` for Prometheus: on the internal key, or on a private listener without one."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from wsgiref.simple_server import WSGIServer

import structlog
from django.db import DatabaseError, connection
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sessions.messages.models import OutboxMessage
from voiceapp.core.api.internal_key import without_internal_key

logger = structlog.get_logger("metrics")


class OutboxCollector(Collector):
    """What waits in the outbox, counted in the database whenever somebody asks."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            found = OutboxMessage.objects.aggregate(
                waiting=Count("id", filter=Q(state=OutboxMessage.State.WAITING)),
                dead=Count("id", filter=Q(state=OutboxMessage.State.DEAD)),
                oldest=Min("created_at", filter=Q(state=OutboxMessage.State.WAITING)),
            )
        except DatabaseError:
            logger.exception("the outbox could not be counted")
            return
        finally:
            if not connection.in_atomic_block:
                connection.close()
        age_s = (timezone.now() - found["oldest"]).total_seconds() if found["oldest"] else 0.0
        yield GaugeMetricFamily("voiceapp_outbox_waiting", "Messages not yet answered for", value=found["waiting"])
        yield GaugeMetricFamily("voiceapp_outbox_dead", "Messages given up", value=found["dead"])
        yield GaugeMetricFamily("voiceapp_outbox_oldest_seconds", "Age of the oldest that waits", value=age_s)

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing: registering must not ask the database."""
        return []


REGISTRY.register(OutboxCollector())


def metrics(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if (refusal := without_internal_key(request)) is not None:
        return refusal
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def start_private_listener(address: str) -> tuple[WSGIServer, Thread]:
    """Serve the same without a key at `host:port`, which only the own network may reach."""
    host, _, port = address.rpartition(":")
    listener = start_http_server(int(port), addr=host.strip("[]") or "127.0.0.1")
    logger.info("metrics", address=address)
    return listener

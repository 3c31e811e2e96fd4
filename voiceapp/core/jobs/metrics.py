"""How many jobs of each queue wait and failed, counted in the database at each scrape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import structlog
from django.db import DatabaseError, connection
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from .engine import JobQueue

logger = structlog.get_logger("metrics")


class JobsCollector(Collector):
    def __init__(self, queues: Iterable[JobQueue[Any]]) -> None:
        self._queues = tuple(queues)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            for queue in self._queues:
                yield from _gauges(queue)
        except DatabaseError:
            logger.exception("jobs could not be counted")
        finally:
            if not connection.in_atomic_block:
                connection.close()

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing: registering must not query the database."""
        return []


def _gauges(queue: JobQueue[Any]) -> Iterator[GaugeMetricFamily]:
    found = queue.count()
    age_s = (timezone.now() - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    yield GaugeMetricFamily(f"voiceapp_{queue.name}_waiting", "Jobs that are not done yet", value=found["waiting"])
    yield GaugeMetricFamily(f"voiceapp_{queue.name}_failed", "Jobs that failed for good", value=found["failed"])
    yield GaugeMetricFamily(f"voiceapp_{queue.name}_oldest_seconds", "Age of the oldest that waits", value=age_s)

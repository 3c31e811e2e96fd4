"""The job engine: leases a row, runs its handler, and marks it done, due again later, or failed.

A worker leases a job by a guarded update before it runs the handler. The lease counts as an attempt, so that a job that
kills its worker is dead-lettered like any other. A handler may run twice for one job and must be idempotent.
"""

from __future__ import annotations

import datetime as dt
import enum
import random
from collections.abc import Callable, Collection, Iterable
from typing import Any, ClassVar, Generic, TypeVar

import structlog
from django.db import transaction
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from voiceapp.core.kept_texts import KeptText
from voiceapp.providers.errors import ProviderError

from .models import MAX_ERROR, Job
from .shared_receiver import SharedReceiver

logger = structlog.get_logger("jobs")

J = TypeVar("J", bound=Job)
State = Job.State
GAVE_UP = gettext_noop("gave up after %(attempts)d attempts; the last one never returned")
# A topic, and the values of `isolate_by` of a job of it that failed.
Failure = tuple[str, tuple[object, ...]]


class NotConfigured(Exception):
    """Raised by a handler: no receiver of the job is configured. The text says where to configure one."""


class Order(enum.Enum):
    """How long a job keeps later ones of its partition waiting."""

    UNTIL_DONE = enum.auto()
    # One at a time, in order; a job that failed lets the others pass while it waits for its retry.
    UNTIL_ATTEMPTED = enum.auto()


class JobQueue(Generic[J]):
    """One table of jobs. Each subclass names its model and its rules."""

    # In logs and metrics.
    name: ClassVar[str]
    model: type[J]
    order: Order
    max_attempts: int
    # Longer than any handler runs: meanwhile no other worker attempts the job.
    lease: dt.timedelta
    first_wait_s: float
    longest_wait_s: float
    # Whether a ProviderError that is permanent ends the attempts at once.
    gives_up_on_permanent_errors: bool
    # Columns: after a failure the topic's other jobs with the same values wait for the next run, so that a receiver
    # that hangs does not delay the jobs for other receivers.
    isolate_by: tuple[str, ...] = ()
    # No task outlives its time limit.
    max_run = dt.timedelta(seconds=20)
    # Within this time after a job was created, a wait that the receiver names is not counted as an attempt.
    free_waits_for = dt.timedelta(hours=24)

    def __init__(self, wake_up: Callable[[str], None]) -> None:
        """`wake_up` has a worker process a topic soon. It may be lost: `process_due` also runs periodically."""
        self.wake_up = wake_up
        self._handlers: dict[str, Callable[[J], None]] = {}
        self._receivers: dict[str, SharedReceiver] = {}
        self._own_tasks: dict[str, Callable[[str], None]] = {}

    def register(
        self,
        topic: str,
        handler: Callable[[J], None],
        *,
        receiver: SharedReceiver | None = None,
        own_task: Callable[[str], None] | None = None,
    ) -> None:
        """Name the handler of a topic. It raises ProviderError or NotConfigured where an attempt failed.

        `receiver`: all jobs of the topic go to it, and wait while it is not available. `own_task` is the topic's own
        `wake_up`: its jobs take so long (long_jobs.py) that the task for all topics leaves them alone.
        """
        self._handlers[topic] = handler
        self._receivers.pop(topic, None)
        if receiver is not None:
            self._receivers[topic] = receiver
        self._own_tasks.pop(topic, None)
        if own_task is not None:
            self._own_tasks[topic] = own_task

    def wake_up_on_commit(self, topics: Iterable[str]) -> None:
        for topic in topics:
            wake_up = self._own_tasks.get(topic, self.wake_up)
            transaction.on_commit(lambda topic=topic, wake_up=wake_up: wake_up(topic), robust=True)  # type: ignore[misc]

    def process_due(self, topics: Iterable[str] | None = None) -> int:
        """Attempt every due job of the topics until none is left; how many were done.

        By default of all that have a handler and no task of their own.
        """
        if topics is None:
            topics = self._handlers.keys() - self._own_tasks.keys()
        wanted = [topic for topic in topics if topic in self._handlers]
        stop_at = timezone.now() + self.max_run
        failures: set[Failure] = set()
        done = 0
        while timezone.now() < stop_at:
            job = self._lease_next([topic for topic in wanted if self._is_available(topic)], failures)
            if job is None:
                return done
            if self._attempt(job):
                done += 1
            elif self.isolate_by and job.state == State.WAITING and self._topic_of(job) not in self._receivers:
                failures.add((self._topic_of(job), tuple(getattr(job, column) for column in self.isolate_by)))
        for topic in wanted:
            self._own_tasks.get(topic, self.wake_up)(topic)
        return done

    def process_now(self, job: J) -> bool | None:
        """Attempt this job at once, whatever waits before it; whether it is done. None if a worker has it right now."""
        now = timezone.now()
        free = self._jobs.filter(_is_free(now), pk=job.pk, state=State.WAITING)
        found = free.first()
        return self._attempt(found) if found is not None and self._lease(found, free, now) else None

    def extend_lease(self, job: J) -> bool:
        """Of a job whose handler is running. False if another worker has leased it since."""
        until = timezone.now() + self.lease
        if not self._leased(job).update(lease_expires_at=until):
            return False
        job.lease_expires_at = until
        return True

    def retry(self, jobs: QuerySet[J], *, also_done: bool = False) -> int:
        """Make those that are not done due now, with all their attempts; how many there were.

        `also_done`: a job that is done is done again. One that a worker is attempting right now is left to it.
        """
        now = timezone.now()
        wanted = jobs if also_done else jobs.exclude(state=State.DONE)
        retried = wanted.filter(_is_free(now)).update(
            state=State.WAITING, attempts=0, due_at=now, lease_expires_at=None, done_at=None
        )
        self.wake_up_on_commit(self._handlers)
        return retried

    def unconfigured_topics(self) -> set[str]:
        """Topics whose shared receiver is not configured: their jobs wait, and that is no fault."""
        return {topic for topic, receiver in self._receivers.items() if not receiver.is_configured}

    def topics_with_own_tasks(self) -> set[str]:
        """Their jobs may wait for minutes behind a long one, and that is no fault."""
        return set(self._own_tasks)

    def count(self) -> dict[str, Any]:
        """How many wait and how many failed, and when the oldest that waits was created."""
        waiting = Q(state=State.WAITING)
        return self._jobs.filter(state__in=(State.WAITING, State.FAILED)).aggregate(
            waiting=Count("id", filter=waiting),
            failed=Count("id", filter=Q(state=State.FAILED)),
            oldest=Min("created_at", filter=waiting),
        )

    @property
    def _jobs(self) -> QuerySet[J]:
        return self.model._default_manager.all()

    def _topic_of(self, job: J) -> str:
        return str(getattr(job, job.topic_field))

    def _is_available(self, topic: str) -> bool:
        return topic not in self._receivers or self._receivers[topic].is_available

    def _lease_next(self, topics: Collection[str], failures: Collection[Failure] = ()) -> J | None:
        while True:
            now = timezone.now()
            candidates = self._due(now).filter(**{f"{self.model.topic_field}__in": topics})
            for topic, values in failures:
                same = dict(_same(column, value) for column, value in zip(self.isolate_by, values, strict=True))
                candidates = candidates.exclude(**same, **{self.model.topic_field: topic})
            job = candidates.order_by("id").first()
            if job is None:
                return None
            if job.attempts >= self.max_attempts:
                self._dead_letter(job, KeptText(GAVE_UP, attempts=self.max_attempts))
                continue
            if self._lease(job, self._due(now).filter(pk=job.pk), now):
                return job

    def _lease(self, job: J, free: QuerySet[J], now: dt.datetime) -> bool:
        """Whether `free` still had the job: now it is this worker's."""
        until = now + self.lease
        if not free.update(lease_expires_at=until, attempts=F("attempts") + 1):
            return False
        job.lease_expires_at = until
        job.attempts += 1
        return True

    def _due(self, now: dt.datetime) -> QuerySet[J]:
        """Due, not leased, and not behind another one of its partition."""
        topic = self.model.topic_field
        ahead = Q(id__lt=OuterRef("id"))
        if self.order is Order.UNTIL_ATTEMPTED:
            ahead = Q(lease_expires_at__gt=now) | ahead & Q(attempts=0)
        same_partition = self._jobs.filter(
            state=State.WAITING, partition_key=OuterRef("partition_key"), **{topic: OuterRef(topic)}
        )
        blocking = same_partition.exclude(pk=OuterRef("pk")).filter(ahead)
        return self._jobs.filter(_is_free(now), ~Exists(blocking), state=State.WAITING, due_at__lte=now)

    def _attempt(self, job: J) -> bool:
        topic = self._topic_of(job)
        receiver = self._receivers.get(topic)
        try:
            self._handlers[topic](job)
        except NotConfigured as exc:
            reason = str(exc)
            if job.last_error:
                reason = KeptText("%(reason)s The last attempt: %(error)s", reason=reason, error=job.last_error)
            self._leased(job).update(state=State.UNCONFIGURED, lease_expires_at=None, last_error=reason[:MAX_ERROR])
            job.state = State.UNCONFIGURED  # no receiver was called: none has to be spared
            return False
        except ProviderError as exc:
            if receiver is not None and not exc.permanent:
                receiver.failed(retry_after_s=exc.retry_after_s)
            is_final = exc.permanent and self.gives_up_on_permanent_errors
            self._attempt_failed(job, str(exc), is_final=is_final, named_s=exc.retry_after_s)
            return False
        except Exception as exc:
            # A bug in one handler must not stop the other jobs.
            logger.exception("job handler crashed", queue=self.name, job=str(job), job_id=job.pk)
            self._attempt_failed(job, type(exc).__name__)
            return False
        if receiver is not None:
            receiver.succeeded()
        self._leased(job).update(state=State.DONE, done_at=timezone.now(), lease_expires_at=None, last_error="")
        return True

    def _attempt_failed(self, job: J, error: str, *, is_final: bool = False, named_s: float | None = None) -> None:
        is_counted = named_s is None or timezone.now() >= job.created_at + self.free_waits_for
        if is_final or (is_counted and job.attempts >= self.max_attempts):
            self._dead_letter(job, error)
            return
        wait_s = wait_before_retry_s(
            job.attempts, first_s=self.first_wait_s, longest_s=self.longest_wait_s, named_s=named_s
        )
        self._leased(job).update(
            due_at=timezone.now() + dt.timedelta(seconds=wait_s),
            attempts=job.attempts if is_counted else job.attempts - 1,
            lease_expires_at=None,
            last_error=error[:MAX_ERROR],
        )
        logger.warning("job will be retried", queue=self.name, job=str(job), attempts=job.attempts, error=error)

    def _dead_letter(self, job: J, error: str) -> None:
        self._leased(job).update(state=State.FAILED, lease_expires_at=None, last_error=error[:MAX_ERROR])
        logger.error("job failed", queue=self.name, job=str(job), job_id=job.pk, error=error[:MAX_ERROR])

    def _leased(self, job: J) -> QuerySet[J]:
        """The row, unless another worker has leased it since."""
        return self._jobs.filter(
            pk=job.pk, state=State.WAITING, lease_expires_at=job.lease_expires_at, attempts=job.attempts
        )


def _same(column: str, value: object) -> tuple[str, object]:
    return (f"{column}__isnull", True) if value is None else (column, value)


def _is_free(now: dt.datetime) -> Q:
    return Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=now)


def wait_before_retry_s(attempts: int, *, first_s: float, longest_s: float, named_s: float | None = None) -> float:
    """Exponential back-off with jitter, after at least one attempt. `named_s`: the wait of a `Retry-After`."""
    wait_s = min(longest_s, first_s * 2.0 ** max(0, attempts - 1)) * random.uniform(0.5, 1)
    return wait_s if named_s is None else max(wait_s, named_s)

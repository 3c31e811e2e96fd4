"""What the admin shows of a job and does with it: its state, and a retry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from .engine import JobQueue
from .models import Job

J = TypeVar("J", bound=Job)
State = Job.State
STATE_COLORS: Mapping[str, str] = {
    State.WAITING: "info",
    State.DONE: "success",
    State.FAILED: "danger",
    State.UNCONFIGURED: "warning",
    "retrying": "warning",
}


def state_badge(job: Job, queue: JobQueue[Any]) -> tuple[str, str]:
    """A key of STATE_COLORS, and the state for people."""
    if job.state == State.WAITING and getattr(job, job.topic_field) in queue.unconfigured_topics():
        return State.UNCONFIGURED.value, gettext("%(unconfigured)s, waiting") % {
            "unconfigured": State.UNCONFIGURED.label
        }
    return ("retrying" if job.is_retrying else job.state), job.state_label


class RetryMixin(admin.ModelAdmin[J]):
    """A button for one job and an action for several. A subclass names the queue, and says what is retried."""

    queue: ClassVar[JobQueue[Any]]
    is_retried: ClassVar[StrOrPromise]

    def rows_to_operate(self, request: HttpRequest, rows: QuerySet[J]) -> QuerySet[J]:
        """Of the selected rows, those that this user may retry."""
        raise NotImplementedError

    def retried_text(self, number: int) -> str:
        raise NotImplementedError

    def retry_one(self, request: HttpRequest, job: J, _: str) -> str:
        self.queue.retry(self.queue.model._default_manager.filter(pk=job.pk))
        return str(self.is_retried)

    @admin.action(description=_("Retry"), permissions=["operate"])
    def retry_chosen(self, request: HttpRequest, rows: QuerySet[J]) -> None:
        unfinished = list(self.rows_to_operate(request, rows).exclude(state=State.DONE))
        retried = self.queue.retry(self.queue.model._default_manager.filter(pk__in=[job.pk for job in unfinished]))
        for job in unfinished:
            self.log_change(request, job, gettext("Retried."))
        messages.success(request, self.retried_text(retried))
        if others := rows.count() - retried:
            messages.info(
                request,
                gettext("%(others)s of the selected are done already, or are being attempted now.")
                % {"others": others},
            )

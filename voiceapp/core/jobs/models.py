"""The row of a job: what a worker has to do, how often it was attempted, and who is at it now."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from voiceapp.core.kept_text_field import KeptTextField

MAX_ERROR = 300
# With the parts by which it is translated (kept_texts.py).
MAX_KEPT_ERROR = 900


class Job(models.Model):
    """Processed by a JobQueue (engine.py), in the order of `id` within its partition. A subclass adds the topic and the
    content."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        # No receiver is configured: no success, and a retry helps only after one is.
        UNCONFIGURED = "unconfigured", _("Not configured")

    # The column that chooses the handler. Partitions of different topics are independent.
    topic_field: ClassVar[str] = "topic"
    done_label: ClassVar[StrOrPromise] = _("Done")

    partition_key = models.CharField(max_length=128, blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(_("next attempt at"), default=timezone.now)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    last_error = KeptTextField(max_length=MAX_KEPT_ERROR, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(_("completed at"), null=True)

    class Meta:
        abstract = True

    @property
    def is_retrying(self) -> bool:
        """The last attempt failed, and the next one comes by itself."""
        return self.state == self.State.WAITING and bool(self.last_error)

    @property
    def state_label(self) -> str:
        """The state, for people."""
        if self.is_retrying:
            # Attempts whose next one the receiver has named are not counted (engine.py).
            if not self.attempts:
                return gettext("Retrying")
            counted = ngettext(
                "Retrying, %(number)s attempt failed", "Retrying, %(number)s attempts failed", self.attempts
            )
            return counted % {"number": self.attempts}
        return str(self.done_label if self.state == self.State.DONE else self.State(self.state).label)

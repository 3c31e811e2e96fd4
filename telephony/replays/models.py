"""Replays of calls against a draft or a version. Each is a job: a worker that dies in it leaves it to the next one."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.configuration.models import AgentVersion
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.calls.models import Call
from voiceapp.core.jobs.engine import JobQueue, Order
from voiceapp.core.jobs.models import MAX_KEPT_ERROR, Job
from voiceapp.core.jobs.wake_up import WakeUp
from voiceapp.core.kept_text_field import KeptTextField


class ReplayRun(TenantModel, Job):
    """What the caller of a call said, said again to another version of its agent. It is deleted with the call."""

    class Target(models.TextChoices):
        DRAFT = "draft", _("Draft")
        VERSION = "version", _("Version")

    class Outcome(models.TextChoices):
        """`broken`: the recording or the AI provider cannot be reached, so that nothing is known of the agent."""

        SAME = "same", _("The same result")
        DIFFERENT = "different", _("Another result")
        BROKEN = "broken", _("Could not be run")

    tenant_path = "call__organization_id"
    topic_field = "target"

    call = models.ForeignKey(Call, models.CASCADE, related_name="replays", verbose_name=_("call"))
    target = models.CharField(_("run against"), max_length=7, choices=Target.choices)
    version = models.ForeignKey(
        AgentVersion, models.SET_NULL, null=True, related_name="replays", verbose_name=_("version")
    )
    started_by = models.CharField(_("started by"), max_length=150, blank=True)
    utterances = models.PositiveIntegerField(null=True, help_text=_("How often the caller speaks."))
    said = models.PositiveIntegerField(default=0, help_text=_("How many of these were said."))
    outcome = models.CharField(_("result"), max_length=9, choices=Outcome.choices, blank=True)
    reason = KeptTextField(_("reason"), max_length=MAX_KEPT_ERROR, blank=True)
    figures = models.JSONField(default=dict, help_text=_("What came of it."))
    lines = models.JSONField(default=list, help_text=_("The conversation."))

    objects = TenantQuerySet["ReplayRun"].as_manager()

    class Meta:
        verbose_name = _("replay")
        verbose_name_plural = _("replays")
        ordering = ("-id",)
        indexes = [
            models.Index(fields=("state", "due_at"), name="replay_run_due"),
            models.Index(fields=("call", "-id"), name="replay_run_newest"),
            models.Index(fields=("partition_key", "id"), name="replay_run_order"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=("call",), condition=models.Q(state=Job.State.WAITING), name="a_call_waits_for_one_replay"
            )
        ]

    def __str__(self) -> str:
        return f"{self.target_text}: {self.get_outcome_display() or self.state_label}"

    @property
    def is_running(self) -> bool:
        return self.state == self.State.WAITING

    @property
    def target_text(self) -> str:
        """“Draft”, or “Version 3”."""
        label = self.get_target_display()
        return label if self.version is None else f"{label} {self.version.number}"


class ReplayRuns(JobQueue[ReplayRun]):
    """One of an organization and target at a time. They take as long as the calls did."""

    name = "replays"
    model = ReplayRun
    order = Order.UNTIL_ATTEMPTED
    max_attempts = 2
    lease = dt.timedelta(seconds=60)
    first_wait_s = 5
    longest_wait_s = 60
    gives_up_on_permanent_errors = True


replay_runs = ReplayRuns(WakeUp("telephony.tasks.run_replays"))

"""Scenarios of an agent, and their runs. A run is a job: a worker that dies in it leaves it to the next one."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.configuration.models import Agent, AgentVersion
from agents.organizations.auditing import Audited
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.calls.models import Call
from voiceapp.core.jobs.engine import JobQueue, Order
from voiceapp.core.jobs.models import MAX_KEPT_ERROR, Job
from voiceapp.core.jobs.wake_up import WakeUp
from voiceapp.core.kept_text_field import KeptTextField

from .expectations import Expectation, lines_of, why_not_a_time

MOST_STEPS = 40
LONGEST_STEP = 500
MOST_EXPECTED = 60


def validate_steps(text: str) -> None:
    """What the caller says, a line for each time."""
    steps = lines_of(text)
    if not steps:
        raise ValidationError(_("Write what the caller says, a line for each time."))
    if len(steps) > MOST_STEPS:
        raise ValidationError(
            _("A scenario has at most %(most)d steps, and this one has %(count)d. Split it in two."),
            params={"most": MOST_STEPS, "count": len(steps)},
        )
    if any(len(step) > LONGEST_STEP for step in steps):
        raise ValidationError(_("A step has at most %(most)d characters. Split it."), params={"most": LONGEST_STEP})


def validate_expected(text: str) -> None:
    if len(lines_of(text)) > MOST_EXPECTED:
        raise ValidationError(_("At most %(most)d lines can be expected."), params={"most": MOST_EXPECTED})


def validate_appointments(text: str) -> None:
    validate_expected(text)
    for line in lines_of(text):
        if wrong := why_not_a_time(line):
            raise ValidationError(_("%(time)s is no time of day. Write it like 09:00."), params={"time": wrong})


class Scenario(TenantModel):
    """What a caller says, and what has to come of it."""

    tenant_path = "agent__organization_id"
    # A scenario may be made from a call: what its caller said is not kept beyond it.
    audited = Audited(ignored=frozenset({"steps", "expected_order", "expected_appointments"}))

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="scenarios", verbose_name=_("agent"))
    name = models.CharField(_("name"), max_length=80)
    steps = models.TextField(
        _("what the caller says"),
        validators=[validate_steps],
        help_text=_("A line for each time that the caller speaks. The last one is usually the yes to the read-back."),
    )
    expected_order = models.TextField(
        _("expected order"),
        blank=True,
        validators=[validate_expected],
        help_text=_(
            "A line for each line of the order, with every chosen modifier: 3 × large Margherita with extra cheese, "
            "thin crust. Empty: no order may be placed."
        ),
    )
    expected_total = models.DecimalField(
        _("expected total"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Empty: the total is not compared."),
    )
    expected_appointments = models.TextField(
        _("expected appointments"),
        blank=True,
        validators=[validate_appointments],
        help_text=_(
            "A line for each: the service, and what has to be true of it, like “Oil change on Thursday at 09:00 for "
            "Alice Miller”, “Oil change at 09:00”, or just “Oil change”. Empty: no appointment may be booked."
        ),
    )
    made_from = models.ForeignKey(
        Call, models.SET_NULL, null=True, editable=False, related_name="scenarios", verbose_name=_("made from the call")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = TenantQuerySet["Scenario"].as_manager()

    class Meta:
        verbose_name = _("scenario")
        verbose_name_plural = _("scenarios")
        ordering = ("agent", "name")
        constraints = [models.UniqueConstraint(fields=("agent", "name"), name="scenario_names_differ_for_an_agent")]

    def __str__(self) -> str:
        return self.name

    @property
    def step_lines(self) -> tuple[str, ...]:
        return lines_of(self.steps)

    @property
    def expectation(self) -> Expectation:
        return Expectation(lines_of(self.expected_order), self.expected_total, lines_of(self.expected_appointments))


class Verdict(models.TextChoices):
    """`broken`: the AI provider did not answer, so that nothing is known of the agent."""

    PASSED = "passed", _("Passed")
    FAILED = "failed", _("Failed")
    BROKEN = "broken", _("Could not be run")


class ScenarioRun(TenantModel, Job):
    """One run of a scenario, against the draft or the version that was published then."""

    class Target(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published version")

    tenant_path = "scenario__agent__organization_id"
    topic_field = "target"

    scenario = models.ForeignKey(Scenario, models.CASCADE, related_name="runs", verbose_name=_("scenario"))
    target = models.CharField(_("run against"), max_length=9, choices=Target.choices)
    version = models.ForeignKey(
        AgentVersion, models.SET_NULL, null=True, related_name="scenario_runs", verbose_name=_("version")
    )
    digest = models.CharField(max_length=64, blank=True, help_text=_("Of scenario, agent and model as they were."))
    started_by = models.CharField(_("started by"), max_length=150, blank=True)
    steps_done = models.PositiveIntegerField(_("steps done"), default=0)
    verdict = models.CharField(_("result"), max_length=6, choices=Verdict.choices, blank=True)
    reason = KeptTextField(_("reason"), max_length=MAX_KEPT_ERROR, blank=True)
    rows = models.JSONField(default=list, help_text=_("Expected and got, line by line."))
    made = models.JSONField(default=dict, help_text=_("What came of it."))
    entries = models.JSONField(default=list, help_text=_("The conversation."))
    duration_ms = models.PositiveIntegerField(_("duration (ms)"), null=True)

    objects = TenantQuerySet["ScenarioRun"].as_manager()

    class Meta:
        verbose_name = _("scenario run")
        verbose_name_plural = _("scenario runs")
        ordering = ("-id",)
        indexes = [
            models.Index(fields=("state", "due_at"), name="scenario_run_due"),
            models.Index(fields=("scenario", "target", "-id"), name="scenario_run_newest"),
            models.Index(fields=("partition_key", "id"), name="scenario_run_order"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=("scenario", "target"),
                condition=models.Q(state=Job.State.WAITING),
                name="a_scenario_waits_once_for_each_target",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_target_display()}: {self.get_verdict_display() or self.state_label}"

    @property
    def is_running(self) -> bool:
        return self.state == self.State.WAITING


class ScenarioRuns(JobQueue[ScenarioRun]):
    """One run of an organization and target at a time, so that a provider that hangs keeps no others waiting."""

    name = "scenarios"
    model = ScenarioRun
    order = Order.UNTIL_ATTEMPTED
    max_attempts = 3
    lease = dt.timedelta(seconds=60)
    first_wait_s = 5
    longest_wait_s = 60
    gives_up_on_permanent_errors = True


scenario_runs = ScenarioRuns(WakeUp("telephony.tasks.run_scenarios"))

"""What was said on a call, how fast it was answered, and which tools were used."""

from __future__ import annotations

from django.db import models

from agents.models.tenancy import TenantModel, TenantQuerySet

from .call import Call


class Turn(TenantModel):
    """The caller spoke, the agent answered: the response time and its parts, in ms."""

    tenant_path = "call__organization_id"

    call = models.ForeignKey(Call, models.CASCADE, related_name="turns")
    number = models.PositiveIntegerField()
    speech_ended_ms = models.PositiveIntegerField(null=True)
    response_ms = models.PositiveIntegerField(null=True)
    detection_ms = models.PositiveIntegerField(null=True)
    model_ms = models.PositiveIntegerField(null=True)
    playout_ms = models.PositiveIntegerField(null=True)
    is_interrupted = models.BooleanField(default=False)

    objects = TenantQuerySet["Turn"].as_manager()

    class Meta:
        ordering = ("call", "number")
        constraints = [models.UniqueConstraint(fields=("call", "number"), name="turns_are_numbered")]

    def __str__(self) -> str:
        return f"Turn {self.number}"


class TranscriptLine(TenantModel):
    """One item of the conversation as it was heard, in the order of `spoken_at_ms`."""

    class Speaker(models.TextChoices):
        CALLER = "caller"
        AGENT = "agent"

    tenant_path = "call__organization_id"

    call = models.ForeignKey(Call, models.CASCADE, related_name="lines")
    item_id = models.CharField(max_length=80)
    speaker = models.CharField(max_length=8, choices=Speaker.choices)
    text = models.TextField(blank=True)
    spoken_at_ms = models.PositiveIntegerField()
    turn = models.PositiveIntegerField(default=0)
    is_cut = models.BooleanField(default=False, help_text="The caller interrupted: only what was heard is kept.")

    objects = TenantQuerySet["TranscriptLine"].as_manager()

    class Meta:
        ordering = ("call", "spoken_at_ms", "id")
        constraints = [models.UniqueConstraint(fields=("call", "item_id"), name="one_line_per_item")]

    def __str__(self) -> str:
        return f"{self.speaker} at {self.spoken_at_ms} ms"


class ToolCall(TenantModel):
    """A tool that the model asked for, and what it was told."""

    class Outcome(models.TextChoices):
        DONE = "done"
        REFUSED = "refused"
        FAILED = "failed"

    tenant_path = "call__organization_id"

    call = models.ForeignKey(Call, models.CASCADE, related_name="tool_calls")
    tool_call_id = models.CharField(max_length=80, help_text="Ours: the provider's, with a number where it repeats.")
    name = models.CharField(max_length=64)
    arguments = models.JSONField(default=dict)
    output = models.JSONField(default=dict)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    turn = models.PositiveIntegerField(default=0)
    duration_ms = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()

    objects = TenantQuerySet["ToolCall"].as_manager()

    class Meta:
        ordering = ("at", "id")
        constraints = [models.UniqueConstraint(fields=("call", "tool_call_id"), name="one_row_per_tool_call")]

    def __str__(self) -> str:
        return self.name

"""A recording of a call: where it stands, where its file is, and what was said in it."""

from __future__ import annotations

from django.db import models

from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.calls.models import Call


class Recording(TenantModel):
    """One egress of LiveKit. That it was started says little: its end says whether there is a file."""

    class Status(models.TextChoices):
        STARTING = "starting"
        ACTIVE = "active"
        ENDING = "ending"
        COMPLETE = "complete"
        FAILED = "failed"
        ABORTED = "aborted"
        LIMIT_REACHED = "limit_reached"

    class FileType(models.TextChoices):
        MP4 = "mp4"
        OGG = "ogg"

    IN_PROGRESS = (Status.STARTING, Status.ACTIVE, Status.ENDING)

    tenant_path = "call__organization_id"

    call = models.ForeignKey(Call, models.CASCADE, related_name="recordings")
    egress_id = models.CharField(max_length=64, null=True, unique=True)
    status = models.CharField(max_length=13, choices=Status.choices, default=Status.STARTING)
    file_type = models.CharField(max_length=3, choices=FileType.choices, default=FileType.MP4)
    bucket = models.CharField(max_length=100, blank=True)
    key = models.CharField(max_length=300, blank=True, help_text="The file's name in the bucket.")
    label = models.CharField(max_length=64, blank=True, help_text="The name that was asked for.")
    url = models.URLField(max_length=1000, blank=True, help_text="Set from outside: then it stands for ours.")
    transcript = models.TextField(blank=True)
    size_bytes = models.PositiveBigIntegerField(null=True)
    duration_ms = models.PositiveBigIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)
    is_automatic = models.BooleanField(default=False, help_text="Begun because its call was to be recorded.")
    told_at = models.DateTimeField(null=True, help_text="LiveKit's own moment of what it last told us of it.")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["Recording"].as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=("call",),
                condition=models.Q(status__in=("starting", "active", "ending")),
                name="one_recording_at_a_time_of_a_call",
            ),
            models.UniqueConstraint(
                fields=("call",), condition=models.Q(is_automatic=True), name="a_call_is_recorded_by_itself_once"
            ),
        ]
        indexes = [models.Index(fields=("key",), name="recording_by_key")]

    @property
    def is_running(self) -> bool:
        """LiveKit took it on and nobody has stopped it."""
        return self.egress_id is not None and self.status in (self.Status.STARTING, self.Status.ACTIVE)

    @property
    def is_being_stored(self) -> bool:
        """It was stopped, and LiveKit has not yet said what became of its file."""
        return self.egress_id is not None and self.status == self.Status.ENDING

    @property
    def has_file(self) -> bool:
        """A file of ours is in the bucket."""
        return self.status in (self.Status.COMPLETE, self.Status.LIMIT_REACHED) and bool(self.size_bytes)

    def __str__(self) -> str:
        return f"Recording {self.egress_id or self.pk}"

"""A recording of a call: its state, its file and its transcript, whichever source records it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.calls.models import Call
from voiceapp.core.jobs.models import MAX_KEPT_ERROR
from voiceapp.core.kept_text_field import KeptTextField


class Recording(TenantModel):
    """One recording at its source. That it was started says little: its final state says whether there is a file."""

    class Source(models.TextChoices):
        LIVEKIT_EGRESS = "livekit_egress", _("LiveKit egress")
        ROOM_AGENT = "room_agent", _("Room agent")
        TWILIO = "twilio", "Twilio"
        VAPI = "vapi", "VAPI"
        BRIDGE = "bridge", _("This server")
        PAGE = "page", _("Caller's browser")

    class State(models.TextChoices):
        STARTING = "starting"
        RECORDING = "recording"
        STORING = "storing"
        STORED = "stored"
        CUT_SHORT = "cut_short", _("Stored up to the limit")
        CANCELED = "canceled"
        FAILED = "failed"

    class Step(models.TextChoices):
        """Of the finishing, in this order."""

        FETCH = "fetch", _("Fetching the file")
        CHECK = "check", _("Checking the file")
        TRANSCODE = "transcode", _("Transcoding")
        ALIGN = "align", _("Aligning the transcript")
        STORE = "store", _("Storing the file")
        CLEAN = "clean", _("Deleting copies")

    class FileType(models.TextChoices):
        # OGG is Opus in Ogg, for LiveKit's egress and for our own files.
        MP4 = "mp4", "MP4"
        OGG = "ogg", "OGG"
        WAV = "wav", "WAV"

    IN_PROGRESS = (State.STARTING, State.RECORDING, State.STORING)

    tenant_path = "call__organization_id"

    call = models.ForeignKey(Call, models.CASCADE, related_name="recordings")
    source = models.CharField(max_length=20, choices=Source.choices, default=Source.LIVEKIT_EGRESS)
    external_id = models.CharField(
        _("ID at the source"),
        max_length=64,
        null=True,
        help_text=_("Empty until the source has accepted the recording."),
    )
    state = models.CharField(max_length=9, choices=State.choices, default=State.STARTING)
    file_type = models.CharField(max_length=3, choices=FileType.choices, default=FileType.MP4)
    bucket = models.CharField(
        max_length=100, blank=True, help_text=_("Empty: the file is on the server's disk (RECORDINGS_DIR).")
    )
    key = models.CharField(max_length=300, blank=True, help_text=_("The file's name in the bucket."))
    label = models.CharField(max_length=64, blank=True, help_text=_("The requested name."))
    url = models.URLField(
        "URL", max_length=1000, blank=True, help_text=_("Set over the API; used instead of the stored file.")
    )
    transcript = models.TextField(blank=True)
    size_bytes = models.PositiveBigIntegerField(_("size (bytes)"), null=True)
    duration_ms = models.PositiveBigIntegerField(_("duration (ms)"), null=True)
    channels = models.PositiveSmallIntegerField(
        null=True, help_text=_("2: the caller first, the agent second. 1: both mixed. Empty: unknown.")
    )
    starts_at_ms = models.BigIntegerField(
        _("starts at (ms)"),
        default=0,
        help_text=_("Where the file's first sample is on the clock of the transcript's lines (spoken_at_ms)."),
    )
    peaks = models.BinaryField(
        null=True, help_text=_("The waveform: for each channel 1,000 bytes, each the loudest sample of its thousandth.")
    )
    step = models.CharField(
        max_length=9,
        choices=Step.choices,
        blank=True,
        help_text=_("The step of the finishing that is being done or was tried last; empty when all are done."),
    )
    error = KeptTextField(max_length=MAX_KEPT_ERROR, blank=True)
    broken_off_by = models.CharField(
        _("ended early by"),
        max_length=100,
        blank=True,
        help_text=_("Why it ended before its call; what there is, is kept."),
    )
    is_automatic = models.BooleanField(
        _("automatic"), default=False, help_text=_("Started automatically with the call.")
    )
    reported_at = models.DateTimeField(null=True, help_text=_("The source's own time of its latest report."))
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["Recording"].as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=("source", "external_id"), name="recording_once_per_external_id"),
            models.UniqueConstraint(
                fields=("call",),
                # A caller who comes back from a transfer may be recorded here while the first part is being stored.
                condition=models.Q(state__in=("starting", "recording"))
                | (models.Q(state="storing") & ~models.Q(source="bridge")),
                name="one_recording_at_a_time_of_a_call",
            ),
            models.UniqueConstraint(
                fields=("call",), condition=models.Q(is_automatic=True), name="a_call_is_recorded_by_itself_once"
            ),
        ]
        indexes = [models.Index(fields=("key",), name="recording_by_key")]

    @property
    def is_running(self) -> bool:
        """The source has accepted it and it was not stopped."""
        return self.external_id is not None and self.state in (self.State.STARTING, self.State.RECORDING)

    @property
    def is_being_stored(self) -> bool:
        """It was stopped, and the source has not yet reported its file."""
        return self.external_id is not None and self.state == self.State.STORING

    @property
    def has_file(self) -> bool:
        """A file of ours is in the bucket."""
        return self.state in (self.State.STORED, self.State.CUT_SHORT) and bool(self.size_bytes)

    def __str__(self) -> str:
        return f"Recording {self.external_id or self.pk}"


class RecordingAccess(TenantModel):
    """That a person or a key got an address of a recording, or its audio. It outlives the recording."""

    class Way(models.TextChoices):
        PLAYER = "player", _("Player")
        DOWNLOAD = "download", _("Download")
        API = "api", _("Link over the API")

    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="recording_accesses")
    recording = models.ForeignKey(Recording, models.SET_NULL, null=True, related_name="accesses")
    recording_number = models.PositiveBigIntegerField(
        _("number of the recording"), help_text=_("It stays when the recording is deleted.")
    )
    principal = models.CharField(_("who"), max_length=150)
    way = models.CharField(max_length=8, choices=Way.choices)
    at = models.DateTimeField(_("when"), auto_now_add=True)

    objects = TenantQuerySet["RecordingAccess"].as_manager()

    class Meta:
        verbose_name = _("access to a recording")
        verbose_name_plural = _("accesses to recordings")
        ordering = ("-at", "-id")
        indexes = [models.Index(fields=("organization", "-at"), name="recording_access_of_tenant")]

    def __str__(self) -> str:
        return gettext("Recording %(recording_number)s, %(way)s") % {
            "recording_number": self.recording_number,
            "way": self.get_way_display().lower(),
        }

"""One conversation with a person, and its timeline."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.configuration.models import Agent, AgentVersion
from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from agents.organizations.tenancy import TenantModel, TenantQuerySet

from .end_reasons import EndReason
from .search.index import TranscriptIndex
from .search.words_field import WordsField
from .topics import bits_of_tool


class CallState(models.TextChoices):
    """Where a call stands. The last three are terminal and never left."""

    PENDING = "pending"
    RINGING = "ringing"
    CONNECTED = "connected"
    COMPLETED = "completed"
    MISSED = "missed"
    FAILED = "failed"


TERMINAL_STATES = (CallState.COMPLETED, CallState.MISSED, CallState.FAILED)
LIVE_STATES = (CallState.PENDING, CallState.RINGING, CallState.CONNECTED)
IS_LIVE = models.Q(state__in=LIVE_STATES)
# What dashboard and analytics call answered.
ANSWERED = (CallState.CONNECTED, CallState.COMPLETED)

# What comes after whose calls they are in an index by which they are paged.
PAGED = ("kind", "-created_at", "-id", "state")
# The order of lists, then all that they are filtered by (sessions/call_lists/narrowing.py).
FILTERED = (
    "-created_at", "-id", "agent", "agent_version", "kind", "direction", "state", "end_reason", "interruptions",
    "slowest_response_ms", "cost_usd", "topics", "caller_number", "dialed_number",
)  # fmt: skip


class CallKind(models.TextChoices):
    PHONE = "phone"
    ROOM = "room"
    BROWSER = "browser"


# Calls that a process of ours carries, and for which it renews a lease; LiveKit carries the others.
CARRIED = (CallKind.PHONE, CallKind.BROWSER)


class CallType(models.TextChoices):
    """Who speaks with whom in a room: a person with an agent, two people, or several."""

    SUPPORT = "support"
    USER_TO_USER = "user-to-user", _("User to user")
    CONFERENCE = "conference"


class Direction(models.TextChoices):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class CallQuerySet(TenantQuerySet["Call"]):
    """Reads of calls."""

    def live(self) -> CallQuerySet:
        return self.filter(state__in=LIVE_STATES)

    def in_rooms(self) -> CallQuerySet:
        return self.filter(kind=CallKind.ROOM)

    def reachable_by(self, principal: Principal) -> CallQuerySet:
        """What is visible, and the calls to which one without an organization was called by another such."""
        reachable = self.visible_to(principal)
        if principal.is_own_tenant:
            reachable |= self.filter(organization__isnull=True, callee=principal.subject)
        return reachable

    def add_topics(self, bits: int) -> None:
        """Writes nothing where all of these are known: most tools of a call are about the same."""
        together = models.F("topics").bitor(bits)
        if bits:
            self.exclude(topics=together).update(topics=together)


class Call(TenantModel):
    """A call of any kind. Numbers are kept as text: what was dialed then stays true when a number moves on."""

    owner_path = "owner"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="calls")
    owner = models.CharField(max_length=100, blank=True)
    agent = models.ForeignKey(Agent, models.SET_NULL, null=True, related_name="calls")
    agent_version = models.ForeignKey(AgentVersion, models.SET_NULL, null=True, related_name="calls")
    kind = models.CharField(max_length=10, choices=CallKind.choices, default=CallKind.PHONE)
    direction = models.CharField(max_length=10, choices=Direction.choices, default=Direction.INBOUND)
    state = models.CharField(max_length=10, choices=CallState.choices, default=CallState.PENDING)
    end_reason = models.CharField(
        max_length=24, blank=True, choices=[(reason, _(reason.label)) for reason in EndReason]
    )
    carrier_sid = models.CharField(
        _("carrier ID"),
        max_length=64,
        null=True,
        unique=True,
        help_text=_("Like Twilio's CallSid."),
    )
    caller_number = models.CharField(max_length=64, blank=True)
    dialed_number = models.CharField(_("dialed number"), max_length=64, blank=True)
    room_name = models.CharField(max_length=100, null=True, blank=True)
    room_sid = models.CharField(
        _("room SID"),
        max_length=64,
        blank=True,
        help_text=_("LiveKit's own name of the room, which no later one of its name has."),
    )
    room_seen_at = models.DateTimeField(null=True, help_text=_("When LiveKit last said that the room is open."))
    room_checked_at = models.DateTimeField(null=True, help_text=_("When LiveKit last said who is in the room."))
    call_type = models.CharField(max_length=12, choices=CallType.choices, blank=True)
    callee = models.CharField(max_length=100, blank=True, help_text=_("The subject of whom a call between two is for."))
    is_recording_wanted = models.BooleanField(_("recording requested"), default=False)
    recording_declined_at = models.DateTimeField(null=True, help_text=_("When the caller did not want to be recorded."))
    metadata = models.JSONField(default=dict)
    transferred_to = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    connected_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    process = models.CharField(
        max_length=64, blank=True, help_text=_("The server process that took the phone call, and then carries it.")
    )
    interruptions = models.PositiveIntegerField(default=0)
    slowest_response_ms = models.PositiveIntegerField(_("slowest response (ms)"), null=True)
    # Bits of topics.py, which tool calls write.
    topics = models.PositiveIntegerField(default=0, editable=False)
    usage = models.JSONField(default=dict)
    cost_usd = models.DecimalField(_("cost (USD)"), max_digits=10, decimal_places=6, null=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        indexes = [
            models.Index(fields=("organization", "-created_at"), name="call_of_organization"),
            models.Index(fields=("organization", "caller_number", "-created_at"), name="call_of_number"),
            models.Index(fields=("state", "lease_expires_at"), name="call_lease"),
            models.Index(fields=("room_name", "-created_at"), name="call_of_room"),
            # What admission counts: small, because calls leave them when they end.
            models.Index(fields=("organization",), name="live_call_of_organization", condition=IS_LIVE),
            models.Index(fields=("caller_number",), name="live_call_of_caller", condition=IS_LIVE),
            models.Index(fields=("process",), name="live_call_of_process", condition=IS_LIVE),
            # Pages of calls (sessions/calls/queries.py): each has all that counting and skipping need.
            models.Index(fields=("owner", *PAGED, "organization"), name="call_of_owner"),
            models.Index(fields=("callee", *PAGED, "organization"), name="call_of_callee"),
            models.Index(fields=("organization", *PAGED), name="call_of_organization_by_kind"),
            # Filtered lists count and find their calls in it alone, without the rows, which are many times larger.
            models.Index(fields=("organization", *FILTERED), name="call_filters"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=("room_name",),
                condition=IS_LIVE,
                name="names_of_live_rooms_are_unique",
            )
        ]

    def __str__(self) -> str:
        return gettext("Call on %(time)s") % {"time": f"{timezone.localtime(self.created_at):%Y-%m-%d %H:%M}"}

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES

    @property
    def duration_s(self) -> int | None:
        """Whole seconds of talking, None while it goes on or if it never connected."""
        if self.connected_at is None or self.ended_at is None:
            return None
        return int((self.ended_at - self.connected_at).total_seconds())

    @property
    def duration_so_far_s(self) -> int:
        """Whole seconds since it connected, until now while it is live; 0 if it never did."""
        if self.connected_at is None:
            return 0
        return max(int(((self.ended_at or timezone.now()) - self.connected_at).total_seconds()), 0)


class CallEvent(TenantModel):
    """A line of a call's timeline."""

    tenant_path = "call__organization_id"

    call = models.ForeignKey(Call, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=40)
    at = models.DateTimeField(_("time"))
    at_ms = models.PositiveIntegerField(
        _("time in the audio stream (ms)"), null=True, help_text=_("On the media stream's clock.")
    )
    detail = models.JSONField(default=dict)

    objects = TenantQuerySet["CallEvent"].as_manager()

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return self.kind


class CallCommand(models.Model):
    """What another process wants of the one that carries the call. It is deleted when it is taken."""

    class Kind(models.TextChoices):
        NOTE = "note"  # the agent tells the caller this
        HINT = "hint"  # the agent knows this, and the caller does not hear it
        HANG_UP = "hang_up"
        HAND_OVER = "hand_over"  # `text`: the slug of a transfer target
        LISTEN = "listen"  # `text`: where to send what is said (telephony/live/listening)

    call = models.ForeignKey(Call, models.CASCADE, related_name="commands")
    kind = models.CharField(max_length=9, choices=Kind)
    text = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.text or self.kind


class CallListening(TenantModel):
    """That a person listened in on a live call, or began to. It outlives the call."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="call_listenings")
    call_number = models.UUIDField(_("ID of the call"), help_text=_("It stays when the call is deleted."))
    principal = models.CharField(_("who"), max_length=150)
    room_identity = models.CharField(_("identity"), max_length=120, null=True, unique=True)  # in a LiveKit room
    began_at = models.DateTimeField(_("started"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = TenantQuerySet["CallListening"].as_manager()

    class Meta:
        verbose_name = _("listening in")
        verbose_name_plural = _("listening in")
        ordering = ("-began_at", "-id")
        indexes = [
            models.Index(fields=("organization", "-began_at"), name="call_listening_of_tenant"),
            models.Index(fields=("call_number",), name="open_call_listening", condition=models.Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return gettext("%(principal)s, call %(call_number)s") % {
            "principal": self.principal,
            "call_number": self.call_number,
        }


class PassedMessage(models.Model):
    """What the call's page says to a server process that does not carry the call. It is deleted when it is taken."""

    class Kind(models.TextChoices):
        JOINED = "joined"
        SAY = "say"
        INTERRUPT = "interrupt"
        MOVED = "moved"  # the browser is in another call at the provider's: `text` is its id

    call = models.ForeignKey(Call, models.CASCADE, related_name="passed_messages")
    kind = models.CharField(max_length=9, choices=Kind)
    text = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.kind


class Turn(TenantModel):
    """The caller spoke, the agent answered: the response time and its parts, in ms."""

    tenant_path = "call__organization_id"

    call = models.ForeignKey(Call, models.CASCADE, related_name="turns")
    number = models.PositiveIntegerField()
    speech_ended_ms = models.PositiveIntegerField(_("speech end (ms)"), null=True)
    response_ms = models.PositiveIntegerField(_("response time (ms)"), null=True)
    detection_ms = models.PositiveIntegerField(_("speech end detection (ms)"), null=True)
    model_ms = models.PositiveIntegerField(_("AI provider (ms)"), null=True)
    playout_ms = models.PositiveIntegerField(_("playback (ms)"), null=True)
    is_interrupted = models.BooleanField(_("interrupted"), default=False)

    objects = TenantQuerySet["Turn"].as_manager()

    class Meta:
        ordering = ("call", "number")
        constraints = [models.UniqueConstraint(fields=("call", "number"), name="turns_are_numbered")]

    def __str__(self) -> str:
        return gettext("Turn %(number)s") % {"number": self.number}


class TranscriptLineQuerySet(TenantQuerySet["TranscriptLine"]):
    """Whoever writes a line's text writes its words, too."""

    def of_known_speakers(self) -> TranscriptLineQuerySet:
        """What a live call can continue from."""
        return self.exclude(text="").filter(speaker__in=(self.model.Speaker.CALLER, self.model.Speaker.AGENT))

    def bulk_create(
        self,
        objs: Iterable[TranscriptLine],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[TranscriptLine]:
        fields = _with_words(update_fields)
        return super().bulk_create(objs, batch_size, ignore_conflicts, update_conflicts, fields, unique_fields)

    def update(self, **kwargs: Any) -> int:
        if "text" in kwargs and "words" not in kwargs:
            raise TypeError("The words of each text have to be written with it: save the lines, or bulk_create them.")
        return super().update(**kwargs)


def _with_words(fields: Iterable[str] | None) -> list[str] | None:
    if fields is None:
        return None
    return list(dict.fromkeys([*fields, "words"])) if "text" in fields else list(fields)


class TranscriptLine(TenantModel):
    """One item of the conversation as it was heard, in the order of `spoken_at_ms`."""

    class Speaker(models.TextChoices):
        CALLER = "caller"
        AGENT = "agent"
        UNKNOWN = "unknown", _("Caller or agent")  # of a recording with both voices in one channel

    tenant_path = "call__organization_id"
    owner_path = "call__owner"

    call = models.ForeignKey(Call, models.CASCADE, related_name="lines")
    item_id = models.CharField(_("item ID"), max_length=80)
    speaker = models.CharField(max_length=8, choices=Speaker.choices)
    text = models.TextField(blank=True)
    words = WordsField(help_text=_("What the search compares: written with the text."))
    spoken_at_ms = models.PositiveIntegerField(_("time in the call (ms)"))
    turn = models.PositiveIntegerField(default=0)
    is_cut = models.BooleanField(
        _("interrupted"), default=False, help_text=_("The caller interrupted; only what was heard is kept.")
    )

    objects = TranscriptLineQuerySet.as_manager()

    class Meta:
        ordering = ("call", "spoken_at_ms", "id")
        indexes = [TranscriptIndex(fields=("words",), name="transcript_words")]
        constraints = [models.UniqueConstraint(fields=("call", "item_id"), name="one_line_per_item")]

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        super().save(*args, update_fields=_with_words(update_fields), **kwargs)

    def __str__(self) -> str:
        return gettext("%(speaker)s after %(spoken_at_ms)s s") % {
            "speaker": self.get_speaker_display(),
            "spoken_at_ms": f"{self.spoken_at_ms / 1000:.1f}",
        }


class ToolCallQuerySet(TenantQuerySet["ToolCall"]):
    """Whoever writes tool calls writes the topics of their calls, too."""

    def bulk_create(self, objs: Iterable[ToolCall], *args: Any, **options: Any) -> list[ToolCall]:
        rows = super().bulk_create(objs, *args, **options)
        bits: defaultdict[uuid.UUID, int] = defaultdict(int)
        for row in rows:
            bits[row.call_id] |= row.topics
        for call_id, of_call in bits.items():
            Call.objects.filter(pk=call_id).add_topics(of_call)
        return rows


class ToolCall(TenantModel):
    """A tool call of the model, and its output."""

    class Outcome(models.TextChoices):
        DONE = "done"
        REFUSED = "refused"
        FAILED = "failed"

    tenant_path = "call__organization_id"

    call = models.ForeignKey(Call, models.CASCADE, related_name="tool_calls")
    tool_call_id = models.CharField(
        _("tool call ID"), max_length=80, help_text=_("The AI provider's ID, with a number where it repeats.")
    )
    name = models.CharField(max_length=64)
    arguments = models.JSONField(default=dict)
    output = models.JSONField(default=dict)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    turn = models.PositiveIntegerField(default=0)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"), default=0)
    at = models.DateTimeField(_("time"))

    objects = ToolCallQuerySet.as_manager()

    class Meta:
        ordering = ("at", "id")
        constraints = [models.UniqueConstraint(fields=("call", "tool_call_id"), name="one_row_per_tool_call")]

    def save(self, *args: Any, **options: Any) -> None:
        super().save(*args, **options)
        Call.objects.filter(pk=self.call_id).add_topics(self.topics)

    def __str__(self) -> str:
        return self.name.replace("_", " ").capitalize()

    @property
    def topics(self) -> int:
        """What was asked about, as bits of topics.py."""
        return bits_of_tool(self.name, is_refused=self.outcome == self.Outcome.REFUSED)

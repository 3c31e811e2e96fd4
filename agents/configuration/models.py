"""The configured persona that answers: a draft, and immutable numbered versions of it."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.greetings.models import Greeting
from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from agents.organizations.trades import TAKING_ORDERS, TOOL_LABELS
from voiceapp.core.languages import LONGEST as LONGEST_TAG
from voiceapp.core.languages import LanguageField
from voiceapp.core.secret_box import seal, unseal
from voiceapp.core.web_addresses import read_origin
from voiceapp.providers.openai.fields import MAX_PROMPT_LENGTH, validate_model, validate_voice

DEFAULT_TOOLS = list(TAKING_ORDERS)


def default_tools() -> list[str]:
    """Every tool of a restaurant's agent."""
    return list(DEFAULT_TOOLS)


def validate_tools(names: object) -> None:
    """Accept a list of tools that agents have."""
    if not isinstance(names, list):
        raise ValidationError(gettext("Give a list of tools."))
    unknown = ", ".join(str(name) for name in names if not isinstance(name, str) or name not in TOOL_LABELS)
    if unknown:
        raise ValidationError(
            gettext("There is no tool called %(unknown)s. Choose of %(tool_labels)s.")
            % {"unknown": unknown, "tool_labels": ", ".join(TOOL_LABELS)}
        )


class Persona(models.Model):
    """What an agent is: shared by the draft and by each version, so that publishing is a copy."""

    class TurnDetection(models.TextChoices):
        SERVER_VAD = "server_vad", _("Server VAD (by volume)")
        SEMANTIC_VAD = "semantic_vad", _("Semantic VAD (by meaning)")

    class Eagerness(models.TextChoices):
        LOW = "low"
        MEDIUM = "medium"
        HIGH = "high"
        AUTO = "auto"

    class NoiseReduction(models.TextChoices):
        NEAR_FIELD = "near_field", _("Near field (handset)")
        FAR_FIELD = "far_field", _("Far field (speakerphone)")

    class Provider(models.TextChoices):
        OPENAI = "openai", _("OpenAI Realtime")
        VAPI = "vapi", _("VAPI assistant")

    class RecordedBy(models.TextChoices):
        """Of calls whose sound is a phone line's: over Twilio, over the dialer, or at VAPI."""

        OFF = "off", _("Not recorded")
        BRIDGE = "bridge", _("This server")
        TWILIO = "twilio", "Twilio"
        VAPI = "vapi", "VAPI"

    class RoomRecordedBy(models.TextChoices):
        OFF = "off", _("Not recorded")
        EGRESS = "egress", "LiveKit (egress)"
        AGENT = "agent", _("The agent in the room")

    provider = models.CharField(
        _("AI provider"),
        max_length=10,
        choices=Provider.choices,
        default=Provider.OPENAI,
        help_text=_("Listens and speaks for the agent. VAPI uses its assistant's voice, model and turn detection."),
    )
    fails_over = models.BooleanField(
        _("fall over to the other AI provider"),
        default=False,
        help_text=_("If this one refuses a call or does not answer within 3 seconds, the other one takes it."),
    )
    prompt = models.TextField(
        blank=True,
        validators=[MaxLengthValidator(MAX_PROMPT_LENGTH)],
        help_text=_("Who the agent is and how it behaves. The menu is added automatically."),
    )
    greeting = models.CharField(max_length=300, default="Hello! How can I help you?")
    protects_greeting = models.BooleanField(
        _("uninterruptible greeting"), default=False, help_text=_("The caller cannot interrupt the greeting.")
    )
    voice = models.CharField(max_length=80, blank=True, validators=[validate_voice])
    model = models.CharField(max_length=80, blank=True, validators=[validate_model])
    language = LanguageField(
        max_length=LONGEST_TAG,
        default="en",
        help_text=_(
            "Other languages: an ISO 639-1 code, with a country or script where needed, like pt-BR or zh-Hant."
        ),
    )
    tools = models.JSONField(default=default_tools, blank=True, validators=[validate_tools])
    noise_reduction = models.CharField(
        max_length=12, blank=True, choices=[("", _("Off")), *NoiseReduction.choices], default=""
    )
    turn_detection = models.CharField(max_length=16, choices=TurnDetection.choices, default=TurnDetection.SERVER_VAD)
    vad_threshold = models.FloatField(
        _("VAD threshold"),
        default=0.5,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("0 to 1. Higher: only louder sounds count as speech. For server VAD."),
    )
    vad_prefix_padding_ms = models.PositiveIntegerField(
        _("audio kept before speech (ms)"),
        default=300,
        validators=[MaxValueValidator(2000)],
        help_text=_("For server VAD."),
    )
    vad_silence_ms = models.PositiveIntegerField(
        _("silence before the turn ends (ms)"),
        default=500,
        validators=[MinValueValidator(100), MaxValueValidator(5000)],
        help_text=_("For server VAD."),
    )
    vad_eagerness = models.CharField(
        _("VAD eagerness"),
        max_length=8,
        choices=Eagerness.choices,
        default=Eagerness.AUTO,
        help_text=_("Higher: the agent responds sooner. For semantic VAD."),
    )
    reprompt = models.CharField(
        max_length=200,
        blank=True,
        help_text=_("Said when the caller is silent. Leave empty for a sentence in the agent's language."),
    )
    reprompt_after_s = models.PositiveIntegerField(
        _("silence before the reprompt (s)"), default=8, validators=[MinValueValidator(3), MaxValueValidator(120)]
    )
    silence_goodbye = models.CharField(
        _("goodbye to a silent caller"),
        max_length=200,
        blank=True,
        help_text=_("Leave empty for a sentence in the agent's language."),
    )
    goodbye_after_s = models.PositiveIntegerField(
        _("silence before the goodbye (s)"), default=20, validators=[MinValueValidator(5), MaxValueValidator(600)]
    )
    filler = models.CharField(
        _("filler phrase"),
        max_length=200,
        blank=True,
        help_text=_("Said while the caller waits. Leave empty for a sentence in the agent's language."),
    )
    filler_after_ms = models.PositiveIntegerField(
        _("wait before the filler phrase (ms)"),
        default=1500,
        validators=[MinValueValidator(300), MaxValueValidator(10_000)],
    )
    longest_call_minutes = models.PositiveIntegerField(
        _("maximum call duration (min)"), default=30, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )
    recording = models.CharField(
        _("phone calls are recorded by"),
        max_length=6,
        choices=RecordedBy.choices,
        default=RecordedBy.OFF,
        help_text=_(
            "One of them, in two channels: the caller and the agent. This server records calls in the browser, "
            "too; on the call page only if the caller agrees. Twilio records calls over Twilio only, and goes on after "
            "a transfer; VAPI records calls that it plays. Sessions that other pages begin over /realtime_session or "
            "/voice-session are never recorded: their sound passes no server of ours."
        ),
    )
    room_recording = models.CharField(
        _("calls in rooms are recorded by"),
        max_length=6,
        choices=RoomRecordedBy.choices,
        default=RoomRecordedBy.EGRESS,
        help_text=_(
            "Where the session was requested with a recording. LiveKit records everybody, and needs a bucket; "
            "the agent records what it hears and says, until it leaves."
        ),
    )

    class Meta:
        abstract = True

    @property
    def fallback_provider(self) -> str:
        """The other AI provider, if it may take a call that this one does not answer; else empty."""
        others: dict[str, str] = {"openai": "vapi", "vapi": "openai"}
        return others.get(self.provider, "") if self.fails_over else ""

    @classmethod
    def persona_fields(cls) -> list[str]:
        """Names of the fields that publishing copies and that a comparison shows."""
        return [field.name for field in Persona._meta.get_fields()]

    @property
    def spoken_greeting(self) -> Greeting:
        """The greeting, and the voice that speaks it."""
        return Greeting(
            provider=self.provider,
            model=self.model or settings.OPENAI_REALTIME_MODEL,
            voice=self.voice or settings.OPENAI_VOICE,
            language=self.language,
            text=self.greeting,
        )


class Agent(Persona, TenantModel):
    """The draft of an agent, and which of its versions answers calls."""

    audited = Audited()

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="agents")
    name = models.CharField(max_length=80)
    is_default = models.BooleanField(
        _("default agent"), default=False, help_text=_("Answers calls to phone numbers without an agent of their own.")
    )
    is_paused = models.BooleanField(
        _("paused"), default=False, help_text=_("Callers hear that nobody can take their call.")
    )
    vapi_assistant_id = models.CharField(
        _("VAPI assistant ID"),
        max_length=80,
        blank=True,
        validators=[RegexValidator(r"^[A-Za-z0-9_-]+$", _("Enter an assistant's ID as VAPI shows it."))],
        help_text=_("The assistant that answers calls over VAPI. Empty: the server's default (VAPI_ASSISTANT_ID)."),
    )
    published_version = models.ForeignKey(
        "AgentVersion", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet["Agent"].as_manager()

    class Meta:
        ordering = ("organization", "name")
        constraints = [
            models.UniqueConstraint(
                fields=("organization",), condition=models.Q(is_default=True), name="one_default_agent_per_organization"
            ),
            models.UniqueConstraint(fields=("organization", "name"), name="agent_names_differ_in_an_organization"),
        ]

    def __str__(self) -> str:
        return self.name


class AgentVersion(Persona, TenantModel):
    """What an agent was when it was published. Never changed: calls point at it."""

    tenant_path = "agent__organization_id"

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    note = models.CharField(max_length=200, blank=True)
    published_by = models.CharField(max_length=150, blank=True)
    published_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet["AgentVersion"].as_manager()

    class Meta:
        ordering = ("agent", "-number")
        constraints = [models.UniqueConstraint(fields=("agent", "number"), name="agent_versions_are_numbered")]

    def __str__(self) -> str:
        return f"{self.agent} v{self.number}"


OPENAI = "https://api.openai.com"


def validate_origin(text: str) -> None:
    """https at a name, on its usual port, and nothing after it; never OpenAI itself, which has the server's own key."""
    try:
        origin = read_origin(text)
    except ValueError as exc:
        raise ValidationError(gettext("Enter an address like https://voice.example.com.")) from exc
    if not origin.is_named_https or str(origin) != text:
        raise ValidationError(gettext("Enter https and a host name only, like https://voice.example.com."))
    if text == OPENAI:
        raise ValidationError(gettext("OpenAI itself needs no entry: it is used with the server's own key."))


class RealtimeEndpoint(TenantModel):
    """An origin that `endpoint` of POST /realtime_session may name, and the organization's key for it alone."""

    audited = Audited()

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="realtime_endpoints")
    origin = models.CharField(
        max_length=261,
        validators=[validate_origin],
        help_text=_(
            "Like https://voice.example.com. Client secrets are requested from its /v1/realtime/client_secrets."
        ),
    )
    sealed_key = models.TextField(editable=False)
    key_set_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TenantQuerySet["RealtimeEndpoint"].as_manager()

    class Meta:
        ordering = ("origin",)
        constraints = [
            models.UniqueConstraint(fields=("organization", "origin"), name="origins_differ_in_an_organization")
        ]

    def __str__(self) -> str:
        return self.origin

    @property
    def place(self) -> str:
        """What the key is sealed for: moved to another origin or organization it cannot be read."""
        return f"realtime endpoint|{self.organization_id}|{self.origin}"

    @property
    def api_key(self) -> str:
        """Raises SealBroken."""
        return unseal(self.sealed_key, place=self.place)

    @api_key.setter
    def api_key(self, key: str) -> None:
        self.sealed_key = seal(key, place=self.place)
        self.key_set_at = timezone.now()

"""Where an organisation's browser sessions may be minted besides OpenAI: a list of origins, each with its own key."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from voiceapp.lib.origins import read_origin
from voiceapp.lib.secret_box import seal, unseal

from .organization import Organization
from .tenancy import TenantModel, TenantQuerySet

OPENAI = "https://api.openai.com"


def validate_origin(text: str) -> None:
    """https at a name, on its usual port, and nothing after it; never OpenAI itself, which has the server's own key."""
    try:
        origin = read_origin(text)
    except ValueError as exc:
        raise ValidationError("This is no address like https://voice.example.com.") from exc
    if not origin.is_named_https or str(origin) != text:
        raise ValidationError("Only https, a name and nothing else, like https://voice.example.com.")
    if text == OPENAI:
        raise ValidationError("OpenAI itself needs no entry: it is asked with the server's own key.")


class RealtimeEndpoint(TenantModel):
    """An origin that `endpoint` of POST /realtime_session may name, and the organisation's key for it alone."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="realtime_endpoints")
    origin = models.CharField(
        max_length=261,
        validators=[validate_origin],
        help_text="Like https://voice.example.com. Secrets are asked for at /v1/realtime/client_secrets there.",
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
        """What the key is sealed for: moved to another origin or organisation it cannot be read."""
        return f"realtime endpoint|{self.organization_id}|{self.origin}"

    @property
    def api_key(self) -> str:
        """Raises SealBroken."""
        return unseal(self.sealed_key, place=self.place)

    @api_key.setter
    def api_key(self, key: str) -> None:
        self.sealed_key = seal(key, place=self.place)
        self.key_set_at = timezone.now()

"""Where a browser session is minted: at OpenAI, at an origin that the organization listed, or nowhere."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError

from agents.configuration.models import OPENAI, RealtimeEndpoint
from agents.organizations.principal import Principal
from voiceapp.core.errors import ApplicationError
from voiceapp.core.secret_box import SealBroken
from voiceapp.core.transactions import release_connections
from voiceapp.core.web_addresses import Origin, is_loopback, is_public, read_origin
from voiceapp.providers.openai.client import ClientSecret, OpenAIClient, OpenAIError, OpenAIErrorKind
from voiceapp.providers.openai.endpoint import AddressRefused, OpenAIEndpoint
from voiceapp.providers.openai.errors import status_text
from voiceapp.providers.openai.fields import model_used, validate_model, validate_voice, voice_field, voice_used

# What a stub on a developer's machine is shown: never a key that opens anything.
PLACEHOLDER_KEY = "placeholder-key-for-a-stub"


class EndpointRefused(ApplicationError):
    """No socket was opened. One sentence for all reasons: the reason would reveal networks and other tenants' lists."""

    def __init__(self) -> None:
        super().__init__("This endpoint is not allowed (endpoint).")


class KeyUnreadable(Exception):
    """The list has a key that no SECRET_KEY opens."""


class Minter(Protocol):
    """OpenAI, or another server in its place."""

    def create_client_secret(
        self, session: dict[str, object], *, expires_after_s: int | None = None
    ) -> ClientSecret: ...


def minter_for(principal: Principal, endpoint: str | None) -> tuple[Minter, bool]:
    """The server that mints, and whether it is OpenAI: nothing of a listed origin is passed on, not even its status.

    Raises EndpointRefused, KeyUnreadable, and OpenAIError where OpenAI's own key is missing.
    """
    if endpoint is None:
        return OpenAIClient.from_settings(), True
    origin = _read(endpoint)
    if origin in _openais_own():
        return OpenAIClient.from_settings(), True
    if settings.ENVIRONMENT == "dev" and origin.is_this_machine:
        return OpenAIEndpoint(origin, api_key=PLACEHOLDER_KEY, may_connect=is_loopback), True
    return OpenAIEndpoint(origin, api_key=_listed_key(principal, origin), may_connect=is_public), False


def _read(endpoint: str) -> Origin:
    try:
        return read_origin(endpoint)
    except ValueError as exc:
        raise EndpointRefused from exc


def _openais_own() -> set[Origin]:
    """OpenAI's, and that of the server that is configured in its place."""
    try:
        return {read_origin(OPENAI), read_origin(settings.OPENAI_BASE_URL)}
    except ValueError:
        return {read_origin(OPENAI)}


def _listed_key(principal: Principal, origin: Origin) -> str:
    """The organization's key for this origin and no other."""
    if principal.organization_id is None or not origin.is_named_https:
        raise EndpointRefused
    listed = RealtimeEndpoint.objects.filter(organization_id=principal.organization_id, origin=str(origin)).first()
    if listed is None:
        raise EndpointRefused
    try:
        return listed.api_key
    except SealBroken as exc:
        raise KeyUnreadable(str(listed.pk)) from exc


UNAVAILABLE = "The endpoint is unavailable."
logger = structlog.get_logger("realtime_session")


class ProviderFailed(ApplicationError):
    """The server did not mint the secret."""


class FieldRefused(ApplicationError):
    """OpenAI would reject the request. `field` says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class RealtimeSession:
    """`model` as requested; `model_used` and `voice_used` as sent to the provider."""

    id: str
    model: str
    model_used: str
    voice_used: str
    secret: str = field(repr=False)
    expires_at: dt.datetime


def open_realtime_session(
    principal: Principal, *, model: str, voice: str, endpoint: str | None = None
) -> RealtimeSession:
    """Raises EndpointRefused, FieldRefused or ProviderFailed.

    No database connection is held during the request to the provider.
    """
    used_model, used_voice = model_used(model), voice_used(voice)
    session: dict[str, object] = {
        "type": "realtime", "model": used_model, "audio": {"output": {"voice": voice_field(used_voice)}},
    }  # fmt: skip
    is_openai = True
    try:
        minter, is_openai = minter_for(principal, endpoint)
        if is_openai:
            _check(model=used_model, voice=used_voice)
        release_connections()
        minted = minter.create_client_secret(session, expires_after_s=settings.REALTIME_SECRET_LIFE_S)
    except AddressRefused as exc:
        logger.warning("endpoint refused", tenant=principal.tenant, reason=str(exc))
        raise EndpointRefused from exc
    except KeyUnreadable as exc:
        logger.warning("endpoint's key unreadable", tenant=principal.tenant, row=str(exc))
        raise ProviderFailed(UNAVAILABLE) from exc
    except OpenAIError as exc:
        logger.warning("no realtime session", tenant=principal.tenant, error=str(exc))
        raise ProviderFailed(words_of(exc) if is_openai else UNAVAILABLE) from exc
    return RealtimeSession(minted.session_id, model, used_model, used_voice, minted.value, minted.expires_at)


def _check(*, model: str, voice: str) -> None:
    """Before the request to OpenAI; other servers may have voices and models of their own."""
    for name, value, validate in (("model", model, validate_model), ("voice", voice, validate_voice)):
        try:
            validate(value)
        except ValidationError as exc:
            raise FieldRefused(name, exc.messages[0]) from exc


def words_of(error: OpenAIError) -> str:
    """`OpenAI returned 401 Unauthorized`, as clients know it; else what became of the request."""
    if error.status is None or error.kind is OpenAIErrorKind.MALFORMED_RESPONSE:
        return error.public_message
    return f"OpenAI returned {status_text(error.status)}"

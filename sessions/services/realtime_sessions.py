"""Opens a session of OpenAI Realtime for a browser: a short-lived secret with which it connects by itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError

from agents.principal import Principal
from sessions.services.realtime_endpoints import EndpointRefused, KeyUnreadable, minter_for
from voiceapp.lib.errors import ApplicationError
from voiceapp.lib.held_connections import give_back_connections
from voiceapp.providers.openai import OpenAIError, OpenAIErrorKind
from voiceapp.providers.openai_endpoint import AddressRefused
from voiceapp.providers.openai_errors import named
from voiceapp.providers.openai_fields import validate_model, validate_voice, voice_field
from voiceapp.providers.openai_names import model_used, voice_used

UNAVAILABLE = "The endpoint is unavailable."
logger = structlog.get_logger("realtime_session")


class ProviderFailed(ApplicationError):
    """Whoever should have minted the secret did not."""


class FieldRefused(ApplicationError):
    """OpenAI would refuse what was asked for. `field` says which."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class RealtimeSession:
    """`model` as it was asked for; `model_used` and `voice_used` are what the provider was given."""

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

    No connection to the database is held while the provider is asked.
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
        give_back_connections()
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
    """Before OpenAI is asked; other servers may have voices and models of their own."""
    for name, value, validate in (("model", model, validate_model), ("voice", voice, validate_voice)):
        try:
            validate(value)
        except ValidationError as exc:
            raise FieldRefused(name, exc.messages[0]) from exc


def words_of(error: OpenAIError) -> str:
    """`OpenAI returned 401 Unauthorized`, as clients know it; else what became of the request."""
    if error.status is None or error.kind is OpenAIErrorKind.GARBLED:
        return error.words
    return f"OpenAI returned {named(error.status)}"

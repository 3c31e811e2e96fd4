"""Where a browser session is minted: at OpenAI, at an origin that the organisation listed, or nowhere."""

from __future__ import annotations

from typing import Protocol

from django.conf import settings

from agents.models import RealtimeEndpoint
from agents.models.realtime_endpoint import OPENAI
from agents.principal import Principal
from voiceapp.lib.errors import ApplicationError
from voiceapp.lib.origins import Origin, read_origin
from voiceapp.lib.public_addresses import is_loopback, is_public
from voiceapp.lib.secret_box import SealBroken
from voiceapp.providers.openai import ClientSecret, OpenAIClient
from voiceapp.providers.openai_endpoint import OpenAIEndpoint

# What a stub on a developer's machine is shown: never a key that opens anything.
PLACEHOLDER_KEY = "placeholder-key-for-a-stub"


class EndpointRefused(ApplicationError):
    """No socket was opened. One sentence for every reason: which it was would tell of networks and of others' lists."""

    def __init__(self) -> None:
        super().__init__("This endpoint is not allowed (endpoint).")


class KeyUnreadable(Exception):
    """The list has a key that no SECRET_KEY opens."""


class Minter(Protocol):
    """OpenAI, or whoever stands in its place."""

    def create_client_secret(
        self, session: dict[str, object], *, expires_after_s: int | None = None
    ) -> ClientSecret: ...


def minter_for(principal: Principal, endpoint: str | None) -> tuple[Minter, bool]:
    """Who is asked, and whether it speaks as OpenAI: of a listed origin nothing is passed on, not even its status.

    Raises EndpointRefused, KeyUnreadable, and OpenAIError where OpenAI's own key is missing.
    """
    if endpoint is None:
        return OpenAIClient.from_settings(), True
    origin = _read(endpoint)
    if origin in _openais_own():
        return OpenAIClient.from_settings(), True
    if settings.ENVIRONMENT == "dev" and origin.is_this_machine:
        return OpenAIEndpoint(origin, api_key=PLACEHOLDER_KEY, may_dial=is_loopback), True
    return OpenAIEndpoint(origin, api_key=_listed_key(principal, origin), may_dial=is_public), False


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
    """The organisation's key for this origin and no other."""
    if principal.organization_id is None or not origin.is_named_https:
        raise EndpointRefused
    listed = RealtimeEndpoint.objects.filter(organization_id=principal.organization_id, origin=str(origin)).first()
    if listed is None:
        raise EndpointRefused
    try:
        return listed.api_key
    except SealBroken as exc:
        raise KeyUnreadable(str(listed.pk)) from exc

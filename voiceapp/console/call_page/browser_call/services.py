"""A call of a browser that talks to OpenAI itself: begun, with a secret for its one offer, and answered."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone

from sessions.calls.end_reasons import EndReason
from sessions.calls.feeds import announce_calls
from sessions.calls.models import Call, CallKind, CallState
from sessions.calls.services import LEASE, finish_call, record_event
from sessions.realtime.services.client_secrets import ProviderFailed, words_of
from sessions.realtime.services.hang_ups import hang_up
from sessions.tools.briefing import brief, limited
from telephony.live.side_channel_provider import secret_session
from voiceapp.core.errors import ApplicationError
from voiceapp.core.secret_box import SealBroken, seal, unseal
from voiceapp.core.serving import process_name
from voiceapp.core.transactions import release_connections
from voiceapp.providers.openai.client import OpenAIClient, OpenAIError

logger = structlog.get_logger("browser_calls")


class NoOffer(ApplicationError):
    """What was sent is none, which uses up no secret."""

    def __init__(self) -> None:
        super().__init__("The body is no SDP offer of audio.")


class SecretRefused(ApplicationError):
    """It expired, or is of another call, or of nobody."""

    def __init__(self) -> None:
        super().__init__("The call was not begun in time. Call again.")


class SecretUsed(ApplicationError):
    """There was an offer already."""

    def __init__(self) -> None:
        super().__init__("This call was begun before, perhaps in another tab. Call again.")


class CallOver(ApplicationError):
    """It ended before it was answered."""

    def __init__(self) -> None:
        super().__init__("This call is over. Call again.")


@dataclass(frozen=True, slots=True)
class CallSecret:
    """Good for one offer of one call. `model` and `voice` are those to which it is bound."""

    value: str = field(repr=False)
    expires_at: dt.datetime
    model: str
    voice: str


def mint_secret(call: Call) -> CallSecret:
    """OpenAI's secret for the session of the call's agent, sealed: with it as it is, a page could begin any number of
    calls that nobody follows. Raises ProviderFailed, and then the call has failed.
    """
    session = secret_session(limited(brief(call), call))
    release_connections()
    try:
        minted = OpenAIClient.from_settings().create_client_secret(
            session, expires_after_s=settings.REALTIME_SECRET_LIFE_S
        )
    except OpenAIError as fault:
        raise _failed(call.pk, fault) from fault
    content = {"secret": minted.value, "expiresAt": int(minted.expires_at.timestamp())}
    sealed = seal(json.dumps(content), place=_place(call.pk))
    return CallSecret(sealed, minted.expires_at, str(session["model"]), _voice_of(session))


def answer_offer(call_id: UUID, *, organization: str, secret: str, offer: str) -> tuple[Call, str]:
    """Begin the call of that organization (its slug) at OpenAI: the call, and the SDP answer.

    Raises SecretRefused, NoOffer, SecretUsed, CallOver or ProviderFailed; after the last the call has failed.
    """
    openais = _unsealed(call_id, secret)
    if not Call.objects.filter(pk=call_id, kind=CallKind.BROWSER, organization__slug=organization).exists():
        raise SecretRefused
    # Without the organization's table: PostgreSQL does not look again at what it has joined when it has waited for
    # another request's update, and each of several offers would find the call pending.
    calls = Call.objects.filter(pk=call_id)
    check_offer(offer)
    if not calls.filter(state=CallState.PENDING).update(state=CallState.RINGING):
        raise SecretUsed if calls.live().exists() else CallOver
    release_connections()
    try:
        answered = OpenAIClient.from_settings().answer_offer(offer, secret=openais)
    except OpenAIError as fault:
        raise _failed(call_id, fault) from fault
    now = timezone.now()
    # No process is named if the page has no socket: then this one carries it.
    calls.filter(process="").update(process=process_name())
    calls.update(carrier_sid=answered.call_id)
    calls.filter(state=CallState.RINGING).update(
        state=CallState.CONNECTED, connected_at=now, lease_expires_at=now + LEASE
    )
    call = calls.select_related("organization").get()
    if call.state != CallState.CONNECTED:
        hang_up(call)
        raise CallOver
    record_event(call_id, "connected", at=now)
    announce_calls(call.organization_id, call_id)
    return call, answered.sdp


def check_offer(offer: str) -> None:
    """Raises NoOffer."""
    if not offer.startswith("v=0") or "m=audio" not in offer:
        raise NoOffer


def end_browser_call(call_id: UUID, reason: EndReason) -> None:
    """From a process that does not carry it."""
    finish_call(call_id, reason=reason)
    hang_up(Call.objects.select_related("organization").get(pk=call_id))


def _unsealed(call_id: UUID, secret: str) -> str:
    try:
        content = json.loads(unseal(secret, place=_place(call_id)))
    except SealBroken as exc:
        raise SecretRefused from exc
    if timezone.now().timestamp() >= content["expiresAt"]:
        raise SecretRefused
    return str(content["secret"])


def _place(call_id: UUID) -> str:
    return f"browser-call:{call_id}"


def _failed(call_id: UUID, fault: OpenAIError) -> ProviderFailed:
    logger.warning("no browser call", call_id=str(call_id), error=str(fault))
    finish_call(call_id, reason=EndReason.PROVIDER_REFUSED if fault.permanent else EndReason.PROVIDER_FAILED)
    return ProviderFailed(words_of(fault))


def _voice_of(session: dict[str, object]) -> str:
    audio = session["audio"]
    voice = audio["output"]["voice"] if isinstance(audio, dict) else ""
    return str(voice["id"] if isinstance(voice, dict) else voice)

"""A browser that has lost its connection to OpenAI goes on with its call in another call at OpenAI.

No request to OpenAI takes a second offer for a call (protocols.md, B2), so that no ICE restart can mend a connection.
The new call knows nothing: the server tells it what was said (telephony/bridge).
"""

from __future__ import annotations

import datetime as dt

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from sessions.calls.models import Call, CallState
from sessions.calls.passed_messages import Kind, pass_message
from sessions.calls.services import record_event
from sessions.realtime.services.client_secrets import ProviderFailed, words_of
from sessions.realtime.services.hang_ups import enqueue_hang_up
from sessions.tools.briefing import brief, limited
from telephony.live.side_channel_provider import secret_session
from voiceapp.core.errors import ApplicationError
from voiceapp.core.transactions import release_connections
from voiceapp.providers.openai.client import OpenAIClient, OpenAIError

from .services import CallOver, check_offer

logger = structlog.get_logger("browser_calls")

# On the timeline, once for each try: a page tries again while its network is gone.
RECONNECTING = "browser_reconnecting"
MOST_TRIES, TRIES_WITHIN = 3, dt.timedelta(seconds=30)
MOST_TRIES_OF_A_CALL = 12
LONGEST_UNHEARD_MS = 60_000


class LostAgain(ApplicationError):
    """Its connection does not last."""

    def __init__(self) -> None:
        super().__init__("The connection was lost again. Check your network, then call again.")


def answer_again(call: Call, *, offer: str, unheard_ms: int) -> str:
    """The SDP answer of a call at OpenAI that takes the place of the one which the browser has lost. It hears nothing
    of the agent for the last `unheard_ms`. The process that carries the call finds a message about it.

    Raises NoOffer, CallOver, LostAgain or ProviderFailed: then the call goes on as it was, for the page to end.
    """
    check_offer(offer)
    _allow(call)
    session = secret_session(limited(brief(call), call))
    release_connections()
    try:
        client = OpenAIClient.from_settings()
        secret = client.create_client_secret(session, expires_after_s=settings.REALTIME_SECRET_LIFE_S)
        answered = client.answer_offer(offer, secret=secret.value)
    except OpenAIError as fault:
        logger.warning("not reconnected", call_id=str(call.pk), error=str(fault))
        raise ProviderFailed(words_of(fault)) from fault
    if not _move(call, answered.call_id, unheard_ms=min(max(0, unheard_ms), LONGEST_UNHEARD_MS)):
        enqueue_hang_up(call, answered.call_id)
        raise CallOver
    return answered.sdp


@transaction.atomic
def _allow(call: Call) -> None:
    now = timezone.now()
    locked = Call.objects.select_for_update(no_key=True).get(pk=call.pk)
    if locked.state != CallState.CONNECTED or not locked.carrier_sid:
        raise CallOver
    tries = locked.events.filter(kind=RECONNECTING)
    if tries.filter(at__gt=now - TRIES_WITHIN).count() >= MOST_TRIES or tries.count() >= MOST_TRIES_OF_A_CALL:
        raise LostAgain
    record_event(call.pk, RECONNECTING, at=now)


@transaction.atomic
def _move(call: Call, provider_call_id: str, *, unheard_ms: int) -> bool:
    """Whether the call goes on there. What it was at OpenAI is hung up."""
    same = Call.objects.filter(pk=call.pk, state=CallState.CONNECTED, carrier_sid=call.carrier_sid)
    if not same.update(carrier_sid=provider_call_id):
        return False
    enqueue_hang_up(call, str(call.carrier_sid))
    pass_message(call.pk, Kind.MOVED, f"{unheard_ms} {provider_call_id}")
    return True

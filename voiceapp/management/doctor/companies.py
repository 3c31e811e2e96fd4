"""Checks of what is outside: OpenAI, Twilio, and whether the world reaches us."""

from __future__ import annotations

import json

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

from telephony.twilio.models import PhoneNumber
from voiceapp.providers.openai.client import OpenAIClient, OpenAIError
from voiceapp.providers.twilio.client import OFFICIAL_URL, BoundedHttp

from .finding import Finding, ill, skipped, well

ANSWER_WITHIN_S = 1.6
LOCAL = ("http://127.0.0.1", "http://localhost", "http://[::1]")


def check_openai() -> Finding:
    """A handshake as a call makes it, up to the provider's first word."""
    try:
        client, model = OpenAIClient.from_settings(), settings.OPENAI_REALTIME_MODEL
    except OpenAIError as exc:
        fix = "Set OPENAI_API_KEY to a key with Realtime access, or keep one in AWS Secrets Manager."
        return ill("openai", str(exc).removeprefix("openai: "), fix)
    where = settings.OPENAI_BASE_URL
    try:
        with connect(
            client.realtime_url(model),
            additional_headers=client.headers(),
            open_timeout=ANSWER_WITHIN_S,
            close_timeout=0.2,
            proxy=None if where.startswith(LOCAL) else True,
        ) as socket:
            event = json.loads(socket.recv(timeout=ANSWER_WITHIN_S))
    except InvalidStatus as exc:
        status = exc.response.status_code
        fix = "Check OPENAI_API_KEY." if status in (401, 403) else "Check OPENAI_BASE_URL and OPENAI_REALTIME_MODEL."
        return ill("openai", f"{where} answers {status}", fix)
    except (OSError, WebSocketException, ValueError) as exc:
        return ill(
            "openai", f"{where} does not answer ({type(exc).__name__})", "Check OPENAI_BASE_URL and the network."
        )
    kind = event.get("type") if isinstance(event, dict) else None
    if kind != "session.created":
        code = (event.get("error") or {}).get("code") if isinstance(event, dict) else None
        return ill("openai", f"{where} began with {kind} ({code})", "Check the account's credit and the model's name.")
    return well("openai", f"{where} opened a session of {model}")


def twilio_client() -> Client:
    return Client(
        settings.TWILIO_ACCOUNT_SID,
        settings.TWILIO_AUTH_TOKEN.split(",")[0].strip(),
        http_client=BoundedHttp(settings.TWILIO_BASE_URL),
    )


def check_twilio() -> Finding:
    """Whether the credentials open the account: one page of one call is read."""
    if not settings.TWILIO_ACCOUNT_SID or not settings.TWILIO_AUTH_TOKEN:
        return ill(
            "twilio",
            "TWILIO_ACCOUNT_SID or TWILIO_AUTH_TOKEN is not set: every Twilio door answers 403",
            "Set both from the Twilio console's first page.",
        )
    try:
        twilio_client().calls.list(limit=1)
    except TwilioRestException as exc:
        return ill(
            "twilio", f"{settings.TWILIO_BASE_URL} answers {exc.status}",
            "Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.",
        )  # fmt: skip
    except (TwilioException, requests.RequestException, ValueError) as exc:
        return ill(
            "twilio", f"{settings.TWILIO_BASE_URL} does not answer ({type(exc).__name__})",
            "Check TWILIO_BASE_URL and the network.",
        )  # fmt: skip
    return well("twilio", f"{settings.TWILIO_BASE_URL} accepts the credentials")


def check_webhooks() -> Finding:
    """Whether each number rings into this server, as Twilio has it."""
    if settings.TWILIO_BASE_URL != OFFICIAL_URL or not settings.TWILIO_AUTH_TOKEN:
        return skipped("webhooks", "only the real Twilio knows where numbers point")
    try:
        known = {
            each.phone_number: each.voice_url or "" for each in twilio_client().incoming_phone_numbers.list(limit=500)
        }
    except (TwilioException, requests.RequestException, ValueError) as exc:
        return skipped("webhooks", f"could not be read ({type(exc).__name__})")
    numbers = PhoneNumber.objects.filter(is_active=True).values_list("number", flat=True)
    elsewhere = [
        number for number in numbers if not known.get(number, "").startswith(f"{settings.PUBLIC_BASE_URL}/twiml/start")
    ]
    if elsewhere:
        fix = "Admin, Phone numbers: copy the webhook address of the number into the Twilio console."
        return ill("webhooks", f"{', '.join(elsewhere[:5])} do not point here", fix)
    return well("webhooks", "every number points here")


def check_public_address() -> Finding:
    """Asks ourselves by the address that the world uses; a proxy that hides us shows here."""
    base = settings.PUBLIC_BASE_URL
    is_local = base.startswith(LOCAL)
    try:
        answer = requests.get(f"{base}/health", timeout=ANSWER_WITHIN_S)
        is_ours = answer.ok and "activeSessions" in answer.text
    except requests.RequestException as exc:
        fix = "Start the web process." if is_local else "Check PUBLIC_BASE_URL, its DNS name and the proxy."
        return ill("public address", f"{base} does not answer ({type(exc).__name__})", fix)
    if not is_ours:
        fix = "Does PUBLIC_BASE_URL lead to this product, also through the proxy?"
        return ill("public address", f"{base}/health answers {answer.status_code}, but not as we do", fix)
    if is_local and "twilio" not in settings.SIMULATORS:
        fix = "Set PUBLIC_BASE_URL to an https address that Twilio reaches."
        return ill("public address", f"{base} cannot be reached by Twilio", fix)
    return well("public address", f"{base} answers")

"""Checks of OpenAI, VAPI and Twilio, and of the public address of the product."""

from __future__ import annotations

import json
from collections.abc import Iterable

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

from telephony.twilio.models import CarrierState, PhoneNumber
from telephony.twilio.numbers.comparison import compare
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.openai.client import OpenAIClient, OpenAIError
from voiceapp.providers.twilio.client import OFFICIAL_URL, BoundedHttp
from voiceapp.providers.twilio.numbers import TwilioNumbers
from voiceapp.providers.vapi.client import VapiClient, VapiError, VapiErrorKind

from .finding import Finding, failed, passed, skipped

TIMEOUT_S = 1.6
LOCAL = ("http://127.0.0.1", "http://localhost", "http://[::1]")


def check_openai() -> Finding:
    """Opens a session as a call does, up to the first event."""
    try:
        client, model = OpenAIClient.from_settings(), settings.OPENAI_REALTIME_MODEL
    except OpenAIError as exc:
        fix = (
            "Set OPENAI_API_KEY to a key with Realtime access, or keep one in AWS Secrets Manager. It is all that the "
            "call page needs."
        )
        return failed("openai", str(exc).removeprefix("openai: "), fix)
    where = settings.OPENAI_BASE_URL
    try:
        with connect(
            client.realtime_url(model),
            additional_headers=client.headers(),
            open_timeout=TIMEOUT_S,
            close_timeout=0.2,
            proxy=None if where.startswith(LOCAL) else True,
        ) as socket:
            event = json.loads(socket.recv(timeout=TIMEOUT_S))
    except InvalidStatus as exc:
        status = exc.response.status_code
        if status in (401, 403):
            return failed("openai", f"{where} returns {status}: it refuses the key", "Check OPENAI_API_KEY.")
        return failed("openai", f"{where} returns {status}", "Check OPENAI_BASE_URL and OPENAI_REALTIME_MODEL.")
    except (OSError, WebSocketException, ValueError) as exc:
        return failed(
            "openai", f"{where} does not respond ({type(exc).__name__})", "Check OPENAI_BASE_URL and the network."
        )
    kind = event.get("type") if isinstance(event, dict) else None
    if kind != "session.created":
        code = str((event.get("error") or {}).get("code")) if isinstance(event, dict) else ""
        return _no_session(where, model, kind=str(kind), code=code)
    return passed("openai", f"{where} opened a session of {model}")


def _no_session(where: str, model: str, *, kind: str, code: str) -> Finding:
    """The key is good. The code of the first event says what is missing."""
    if code == "model_not_found":
        fix = "Set OPENAI_REALTIME_MODEL to a model that the account may use."
        return failed("openai", f"{where} accepts the key, but has no model {model} for it", fix)
    if code == "insufficient_quota":
        fix = "Add credit to the account of OPENAI_API_KEY."
        return failed("openai", f"{where} accepts the key, but the account has no credit", fix)
    fix = "Check the account's credit and the model's name."
    return failed("openai", f"the first event of {where} is {kind} ({code})", fix)


def check_vapi() -> Finding:
    """Reads the assistant of agents that name none, with the key."""
    if not settings.VAPI_API_KEY:
        return skipped("vapi", "VAPI_API_KEY is not set: no agent can use VAPI")
    where, assistant = settings.VAPI_BASE_URL, settings.VAPI_ASSISTANT_ID
    try:
        client = VapiClient.from_settings()
        if assistant:
            client.get_assistant(assistant)
        else:  # calls bring their own
            client.list_assistants()
    except VapiError as exc:
        if exc.kind is VapiErrorKind.NOT_FOUND:
            fix = "Set VAPI_ASSISTANT_ID to one of your assistants."
            return failed("vapi", f"{where} accepts the key, but has no assistant {assistant}", fix)
        if exc.status is not None:
            return failed("vapi", f"{where} returns {exc.status}", "Check VAPI_API_KEY: it is the private key.")
        return failed("vapi", f"{where} does not respond", "Check VAPI_BASE_URL and the network.")
    return passed("vapi", f"{where} accepts the key")


def twilio_client() -> Client:
    return Client(
        settings.TWILIO_ACCOUNT_SID,
        settings.TWILIO_AUTH_TOKEN.split(",")[0].strip(),
        http_client=BoundedHttp(settings.TWILIO_BASE_URL),
    )


def check_twilio() -> Finding:
    """Reads one call of the account with the credentials."""
    if not settings.TWILIO_ACCOUNT_SID or not settings.TWILIO_AUTH_TOKEN:
        return failed(
            "twilio",
            "TWILIO_ACCOUNT_SID or TWILIO_AUTH_TOKEN is not set: every webhook of Twilio gets 403",
            "Set both from the Twilio console's first page.",
        )
    try:
        twilio_client().calls.list(limit=1)
    except TwilioRestException as exc:
        return failed(
            "twilio", f"{settings.TWILIO_BASE_URL} returns {exc.status}",
            "Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.",
        )  # fmt: skip
    except (TwilioException, requests.RequestException, ValueError) as exc:
        return failed(
            "twilio", f"{settings.TWILIO_BASE_URL} does not respond ({type(exc).__name__})",
            "Check TWILIO_BASE_URL and the network.",
        )  # fmt: skip
    return passed("twilio", f"{settings.TWILIO_BASE_URL} accepts the credentials")


def check_webhooks() -> Finding:
    """Whether each number at Twilio points at this server."""
    if not settings.TWILIO_ACCOUNT_SID or not settings.TWILIO_AUTH_TOKEN:
        return skipped("webhooks", "Twilio is not configured")
    ours = list(PhoneNumber.objects.select_related("organization").order_by("number"))
    try:
        found = compare(ours, TwilioNumbers.from_settings().all())
    except ProviderError as error:
        return skipped("webhooks", f"Twilio's numbers could not be read ({error})")
    elsewhere, missing = found.of(CarrierState.DIFFERS), found.of(CarrierState.MISSING)
    more = f"; not set up here: {_listed(found.unknown)}" if found.unknown else ""
    if elsewhere:
        detail = f"{_listed(each.number.number for each in elsewhere)} do not point here: {elsewhere[0].difference}"
        return failed("webhooks", f"{detail}{more}", "Run manage.py sync_phone_numbers.")
    if missing and settings.TWILIO_BASE_URL == OFFICIAL_URL:
        fix = "Buy or port them at Twilio, or remove them in the admin, under Phone numbers."
        return failed("webhooks", f"{_listed(each.number.number for each in missing)} are not at Twilio{more}", fix)
    return passed("webhooks", f"{len(ours) - len(missing)} of {len(ours)} numbers are at Twilio and point here{more}")


def _listed(numbers: Iterable[str]) -> str:
    every = list(numbers)
    return ", ".join(every[:5]) + (f" and {len(every) - 5} more" if len(every) > 5 else "")


def check_public_address() -> Finding:
    """Requests /health at the public address, through the proxies in front of the product."""
    base = settings.PUBLIC_BASE_URL
    is_local = base.startswith(LOCAL)
    try:
        response = requests.get(f"{base}/health", timeout=TIMEOUT_S)
        is_ours = response.ok and "activeSessions" in response.text
    except requests.RequestException as exc:
        fix = "Start the web process." if is_local else "Check PUBLIC_BASE_URL, its DNS name and the proxy."
        return failed("public address", f"{base} does not respond ({type(exc).__name__})", fix)
    if not is_ours:
        fix = "Does PUBLIC_BASE_URL lead to this product, also through the proxy?"
        return failed(
            "public address", f"{base}/health returns {response.status_code}, but not the response of this product", fix
        )
    if is_local and "twilio" not in settings.SIMULATORS:
        fix = "Set PUBLIC_BASE_URL to an https address that Twilio reaches."
        return failed("public address", f"{base} cannot be reached by Twilio", fix)
    return passed("public address", f"{base} responds")

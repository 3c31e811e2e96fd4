"""The credential of VAPI's server URL: a secret, a token or a signature, as configured, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import pytest
from pytest_django import Settings

from voiceapp.providers.vapi.webhooks import Method, Received, WebhookCredential, WebhookRefused

BODY = b'{"message": {"type": "hang"}}'
URL = "https://voice.example.com/vapi/webhook"
SECRET = "s" * 40
NOW_S = 1_700_000_000


def request(headers: dict[str, str], body: bytes = BODY) -> Received:
    return Received({name.lower(): value for name, value in headers.items()} | headers, body, URL)


def refusal(credential: WebhookCredential, received: Received) -> str:
    try:
        credential.verify(received, now_s=NOW_S)
    except WebhookRefused as refused:
        return refused.reason
    return ""


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"X-Vapi-Secret": SECRET}, ""),
        ({}, "no_credential"),
        ({"X-Vapi-Secret": ""}, "no_credential"),
        ({"X-Vapi-Secret": "t" * 40}, "wrong"),
        ({"X-Vapi-Secret": SECRET[:-1]}, "wrong"),
        ({"X-Vapi-Secret": f"Bearer {SECRET}"}, "wrong"),
        ({"X-Vapi-Secret": "ß" * 40}, "malformed"),
        ({"X-Vapi-Secret": "s" * 5000}, "malformed"),
        ({"Authorization": SECRET}, "no_credential"),
    ],
)
def test_a_plain_secret(headers: dict[str, str], reason: str) -> None:
    assert refusal(WebhookCredential(Method.SECRET, (SECRET,)), request(headers)) == reason


@pytest.mark.parametrize(
    ("header", "sent", "reason"),
    [
        ("", {"Authorization": f"Bearer {SECRET}"}, ""),
        ("", {"Authorization": SECRET}, "wrong"),
        ("", {"X-Vapi-Secret": SECRET}, "no_credential"),
        ("X-My-Token", {"X-My-Token": SECRET}, ""),
        ("X-My-Token", {"Authorization": f"Bearer {SECRET}"}, "no_credential"),
        ("authorization", {"authorization": f"Bearer {SECRET}"}, ""),
    ],
)
def test_a_bearer_token_in_its_header(header: str, sent: dict[str, str], reason: str) -> None:
    assert refusal(WebhookCredential(Method.BEARER, (SECRET,), header), request(sent)) == reason


def test_the_earlier_secret_is_accepted_during_a_rotation() -> None:
    credential = WebhookCredential(Method.SECRET, ("new-secret", SECRET))
    assert refusal(credential, request({"X-Vapi-Secret": SECRET})) == ""
    assert refusal(credential, request({"X-Vapi-Secret": "new-secret"})) == ""
    assert refusal(credential, request({"X-Vapi-Secret": "older"})) == "wrong"


def signed(payload: bytes, *, algorithm: str = "sha256", secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), payload, algorithm).hexdigest()


HMAC = WebhookCredential(Method.HMAC, (SECRET,))
AT = {"x-timestamp": str(NOW_S)}


def test_a_signature_in_vapis_default_form() -> None:
    signature = signed(f"{NOW_S}.".encode() + BODY)
    assert refusal(HMAC, request({"x-signature": signature, **AT})) == ""
    assert refusal(HMAC, request({"x-signature": signature, **AT}, BODY + b" ")) == "wrong"
    assert refusal(HMAC, request({"x-signature": signature, "x-timestamp": str(NOW_S + 1)})) == "wrong"
    assert refusal(HMAC, request({"x-signature": SECRET, **AT})) == "wrong"
    assert refusal(HMAC, request(AT)) == "no_credential"


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "sha1"])
def test_each_algorithm(algorithm: str) -> None:
    credential = WebhookCredential(Method.HMAC, (SECRET,), algorithm=algorithm)
    for used in ("sha256", "sha512", "sha1"):
        signature = signed(f"{NOW_S}.".encode() + BODY, algorithm=used)
        assert refusal(credential, request({"x-signature": signature, **AT})) == ("" if used == algorithm else "wrong")


@pytest.mark.parametrize(
    ("timestamp", "reason"),
    [
        (str(NOW_S), ""),
        (str(NOW_S * 1000), ""),
        (str(NOW_S - 290), ""),
        (str(NOW_S - 310), "stale"),
        (str(NOW_S + 310), "stale"),
        (str((NOW_S - 310) * 1000), "stale"),
        ("", "no_timestamp"),
        ("yesterday", "no_timestamp"),
        ("-1", "no_timestamp"),
        ("²", "no_timestamp"),
        ("1" * 30, "no_timestamp"),
    ],
)
def test_an_old_signature_is_a_replay(timestamp: str, reason: str) -> None:
    headers = {"x-signature": signed(f"{timestamp}.".encode() + BODY), "x-timestamp": timestamp}
    assert refusal(HMAC, request(headers)) == reason


def test_every_part_of_the_payload_format_is_configurable() -> None:
    credential = WebhookCredential(
        Method.HMAC,
        (SECRET,),
        "X-Hub-Signature",
        timestamp_header="svix-timestamp",
        payload_format="{method} {url}|{svix-id}|{timestamp}|{body}",
        signature_prefix="v1,",
        encoding="base64",
    )
    payload = f"POST {URL}|msg_1|{NOW_S}|".encode() + BODY
    digest = base64.b64encode(hmac.new(SECRET.encode(), payload, hashlib.sha256).digest()).decode()
    headers = {"X-Hub-Signature": f"v1,{digest}", "svix-timestamp": str(NOW_S), "svix-id": "msg_1"}
    assert refusal(credential, request(headers)) == ""
    assert refusal(credential, request(headers | {"X-Hub-Signature": digest})) == "wrong"
    assert refusal(credential, request(headers | {"svix-id": "msg_2"})) == "wrong"


def test_a_format_without_time_needs_none() -> None:
    credential = WebhookCredential(Method.HMAC, (SECRET,), payload_format="{body}")
    assert refusal(credential, request({"x-signature": signed(BODY)})) == ""


def test_a_placeholder_in_the_body_stands_for_itself() -> None:
    body = b'{"message": "{timestamp}"}'
    assert refusal(HMAC, request({"x-signature": signed(f"{NOW_S}.".encode() + body), **AT}, body)) == ""


def test_a_signature_of_our_own_is_verified() -> None:
    credential = WebhookCredential(Method.HMAC, (SECRET,), algorithm="sha512", encoding="base64")
    at = str(int(time.time()))
    unsigned = request({"x-timestamp": at})
    credential.verify(request({"x-timestamp": at, "x-signature": credential.sign(unsigned)}))


@pytest.mark.parametrize(
    ("name", "value"),
    [("VAPI_SERVER_SECRET", ""), ("VAPI_SERVER_SECRET", " , "), ("VAPI_SERVER_AUTH", "none"),
     ("VAPI_HMAC_ALGORITHM", "md5")],
)  # fmt: skip
def test_without_a_credential_nothing_is_accepted(settings: Settings, name: str, value: str) -> None:
    settings.VAPI_SERVER_SECRET = SECRET
    setattr(settings, name, value)
    with pytest.raises(WebhookRefused, match="not_configured"):
        WebhookCredential.from_settings()


def test_the_settings_are_the_credential(settings: Settings) -> None:
    settings.VAPI_SERVER_SECRET = f"{SECRET}, older"
    settings.VAPI_SERVER_AUTH, settings.VAPI_SERVER_HEADER = "hmac", "X-Sign"
    credential = WebhookCredential.from_settings()
    assert (credential.method, credential.secrets, credential.header_name) == (Method.HMAC, (SECRET, "older"), "X-Sign")

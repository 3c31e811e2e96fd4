"""Which requests are accepted: one table for all of Twilio's webhooks, and one for the handshake of a media stream."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from sessions.calls.models import Call
from telephony.twilio.models import PhoneNumber
from telephony.twilio.signature import accepted_tokens, is_signed, verify_handshake
from voiceapp.core.metrics import signatures_refused

from .conftest import ACCOUNT_SID, CALL_SID, CALLER, NUMBER, PUBLIC, TOKEN

FORM = "application/x-www-form-urlencoded"
FIELDS = (
    ("CallSid", CALL_SID),
    ("AccountSid", ACCOUNT_SID),
    ("From", CALLER),
    ("To", NUMBER),
    ("CallStatus", "ringing"),
)


def with_field(name: str, value: str) -> tuple[tuple[str, str], ...]:
    return tuple((each, value if each == name else old) for each, old in FIELDS)


def sign(url: str, fields: Mapping[str, str] | tuple[tuple[str, str], ...], token: str = TOKEN) -> str:
    """By hand from the rule (protocols A4), so that the SDK is not checked by itself."""
    signed = url + "".join(name + value for name, value in sorted(dict(fields).items()))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


@dataclass(frozen=True)
class Posted:
    """A request at /twiml/start; what is not said is as Twilio does it."""

    sent: tuple[tuple[str, str], ...] = FIELDS
    signed: tuple[tuple[str, str], ...] | None = None
    signed_url: str = f"{PUBLIC}/twiml/start"
    query: str = ""
    token: str = TOKEN
    signature: str | None = None
    body: str | bytes | None = None
    content_type: str = FORM
    headers: Mapping[str, str] = field(default_factory=dict)

    def at(self, path: str) -> Posted:
        return replace(self, signed_url=f"{PUBLIC}{path}") if self.signed_url.endswith("/twiml/start") else self


A = ACCOUNT_SID
C = CALL_SID
MATRIX: list[tuple[str, Posted, int]] = [
    ("as twilio does", Posted(), 200),
    # The signature itself
    ("empty", Posted(signature=""), 403),
    ("one character", Posted(signature="a"), 403),
    ("wrong of the right length", Posted(signature="A" * 27 + "="), 403),
    ("not ascii", Posted(signature="é" * 28), 403),
    ("ending in a control character", Posted(signature=sign(f"{PUBLIC}/twiml/start", FIELDS) + "\x01"), 403),
    ("without padding", Posted(signature=sign(f"{PUBLIC}/twiml/start", FIELDS)[:-1]), 403),
    ("in lower case", Posted(signature=sign(f"{PUBLIC}/twiml/start", FIELDS).lower()), 403),
    ("twice in one header", Posted(signature=", ".join([sign(f"{PUBLIC}/twiml/start", FIELDS)] * 2)), 403),
    ("enormous", Posted(signature="A" * 6000), 403),
    ("of another token", Posted(token="another"), 403),
    ("of an empty token", Posted(token=""), 403),
    ("of the whole token list", Posted(token=f"{TOKEN},earlier"), 403),
    ("of the earlier token", Posted(token="earlier"), 200),
    ("by sha256", Posted(signature=base64.b64encode(hashlib.sha256(b"x").digest()).decode()), 403),
    (
        "by sha256, and the header says so",
        Posted(
            signature=base64.b64encode(
                hmac.new(
                    TOKEN.encode(),
                    (f"{PUBLIC}/twiml/start" + "".join(n + v for n, v in sorted(FIELDS))).encode(),
                    hashlib.sha256,
                ).digest()
            ).decode(),
            headers={"X-Twilio-Webhooks-Signature-Settings": "key=x,algorithm=HMAC_SHA256"},
        ),
        403,
    ),
    (
        "the header names an algorithm that was not used",
        Posted(headers={"X-Twilio-Webhooks-Signature-Settings": "algorithm=none"}),
        200,
    ),
    # The address
    ("over http", Posted(signed_url="http://voice.example.com/twiml/start"), 403),
    ("over another host", Posted(signed_url="https://evil.example/twiml/start"), 403),
    (
        "over a host that ours begins",
        Posted(signed_url="https://voice.example.com.evil.example/twiml/start"),
        403,
    ),
    ("over a slash more", Posted(signed_url=f"{PUBLIC}/twiml/start/"), 403),
    ("over a slash before", Posted(signed_url=f"{PUBLIC}//twiml/start"), 403),
    ("over another webhook", Posted(signed_url=f"{PUBLIC}/twiml/after"), 403),
    ("over capitals", Posted(signed_url=f"{PUBLIC}/TWIML/start"), 403),
    ("over the default port", Posted(signed_url="https://voice.example.com:443/twiml/start"), 200),
    ("over another port", Posted(signed_url="https://voice.example.com:8443/twiml/start"), 403),
    ("over port 80", Posted(signed_url="https://voice.example.com:80/twiml/start"), 403),
    ("over a query that was not sent", Posted(signed_url=f"{PUBLIC}/twiml/start?orgId=1"), 403),
    ("a query that was not signed", Posted(query="x=1"), 403),
    ("a query that was signed", Posted(query="x=1", signed_url=f"{PUBLIC}/twiml/start?x=1"), 200),
    (
        "a query as it was escaped",
        Posted(query="x=%2f%C3%A9", signed_url=f"{PUBLIC}/twiml/start?x=%2f%C3%A9"),
        200,
    ),
    ("a query escaped otherwise", Posted(query="x=%2F", signed_url=f"{PUBLIC}/twiml/start?x=%2f"), 403),
    ("a query reordered", Posted(query="y=2&x=1", signed_url=f"{PUBLIC}/twiml/start?x=1&y=2"), 403),
    ("a query with a key twice", Posted(query="x=1&x=2", signed_url=f"{PUBLIC}/twiml/start?x=1&x=2"), 403),
    ("the fragment of retries is not signed", Posted(signed_url=f"{PUBLIC}/twiml/start#rc=2"), 403),
    ("a foreign host header", Posted(headers={"Host": "evil.example"}), 200),
    ("a host header with an impossible port", Posted(headers={"Host": "x:99999"}), 200),
    ("a forwarded host", Posted(headers={"X-Forwarded-Host": "evil.example"}), 200),
    ("a forwarded scheme", Posted(headers={"X-Forwarded-Proto": "http"}), 200),
    (
        "signed over the host header",
        Posted(signed_url="https://evil.example/twiml/start", headers={"Host": "evil.example"}),
        403,
    ),
    # The fields
    ("a field more", Posted(sent=(*FIELDS, ("CallerName", "x")), signed=FIELDS), 403),
    ("a field less", Posted(sent=FIELDS[:-1], signed=FIELDS), 403),
    ("a field that was signed and is new to us", Posted(sent=(*FIELDS, ("NewParam", "x"))), 200),
    ("another caller", Posted(sent=with_field("From", "+15550001111"), signed=FIELDS), 403),
    ("another number", Posted(sent=with_field("To", "+15550001111"), signed=FIELDS), 403),
    ("fields in another order", Posted(sent=FIELDS[::-1]), 200),
    ("a name in umlauts", Posted(sent=(*FIELDS, ("CallerName", "Jörg 🍕"))), 200),
    ("a blank field", Posted(sent=(*FIELDS, ("CallerName", ""))), 200),
    ("a field twice", Posted(sent=(*FIELDS, ("From", CALLER)), signed=FIELDS), 403),
    ("a field twice with another value", Posted(sent=(*FIELDS, ("From", "+1")), signed=FIELDS), 403),
    (
        "names and values moved together",
        Posted(sent=(("AccountSid" + A + "CallSid", C), *FIELDS[2:]), signed=FIELDS),
        403,
    ),
    (
        "the status moved into the call's id",
        Posted(sent=(("AccountSid", A), ("CallSid", C + "CallStatusringing"), *FIELDS[2:4])[:3], signed=FIELDS),
        403,
    ),
    ("a call id in capitals", Posted(sent=with_field("CallSid", C.replace("1", "A"))), 403),
    ("a call id too short", Posted(sent=with_field("CallSid", C[:-1])), 403),
    ("a call id too long", Posted(sent=with_field("CallSid", C + "1")), 403),
    ("a call id with a line's end", Posted(sent=with_field("CallSid", C + "\n")), 403),
    ("a call id of a message", Posted(sent=with_field("CallSid", "SM" + C[2:])), 403),
    ("a call id that is blank", Posted(sent=with_field("CallSid", "")), 403),
    ("no call id", Posted(sent=FIELDS[1:]), 403),
    ("another account", Posted(sent=with_field("AccountSid", "AC" + "b" * 32)), 403),
    ("a subaccount in capitals", Posted(sent=with_field("AccountSid", A.upper())), 403),
    ("no account", Posted(sent=(FIELDS[0], *FIELDS[2:])), 403),
    # The body
    ("json", Posted(body="{}", content_type="application/json"), 415),
    ("json that says it is a form", Posted(body='{"CallSid": "x"}'), 403),
    ("a multipart form", Posted(body="x", content_type="multipart/form-data; boundary=x"), 415),
    ("plain text", Posted(content_type="text/plain"), 415),
    ("no content type", Posted(content_type=""), 415),
    ("a form with its charset", Posted(content_type=f"{FORM}; charset=UTF-8"), 200),
    ("a form with a charset nobody knows", Posted(content_type=f"{FORM}; charset=klingon"), 200),
    ("nothing at all", Posted(body=b""), 415),
    ("bytes that are no text", Posted(body=b"CallSid=%ff%fe&\xff\xfe=1"), 403),
    ("a thousand fields and more", Posted(body="&".join(f"f{n}=1" for n in range(1500))), 400),
]


def send(sent: Posted, path: str = "/twiml/start") -> int:
    signature = sent.signature
    if signature is None:
        signature = sign(sent.signed_url, sent.signed if sent.signed is not None else sent.sent, sent.token)
    body = urlencode(sent.sent) if sent.body is None else sent.body
    client = Client(raise_request_exception=True)
    address = path + (f"?{sent.query}" if sent.query else "")
    headers = {"X-Twilio-Signature": signature, **sent.headers}
    return client.generic("POST", address, body, content_type=sent.content_type, headers=headers).status_code


@pytest.fixture(autouse=True)
def rotating(settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = f"{TOKEN}, earlier"


def test_the_matrix_has_at_least_60_different_rows() -> None:
    assert len(MATRIX) >= 60
    assert len({name for name, _, _ in MATRIX}) == len(MATRIX)


@pytest.mark.django_db
@pytest.mark.parametrize(("how", "status"), [row[1:] for row in MATRIX], ids=[row[0] for row in MATRIX])
def test_only_what_twilio_signed_for_our_account_gets_in(line: PhoneNumber, how: Posted, status: int) -> None:
    before = signatures_refused.labels("start")._value.get()
    assert send(how) == status
    assert Call.objects.exists() == (status == 200)
    assert signatures_refused.labels("start")._value.get() == before + (status == 403)


def test_without_a_signature_a_webhook_is_refused_before_any_query() -> None:
    response = Client().post("/twiml/start", urlencode(FIELDS), content_type=FORM)
    assert response.status_code == 403


@pytest.mark.parametrize("configured", ["", " ", ",", " , "])
def test_with_no_token_configured_everybody_is_refused(settings: Settings, configured: str) -> None:
    settings.TWILIO_AUTH_TOKEN = configured
    for token in ("", configured, TOKEN):
        assert send(Posted(token=token)) == 403


@pytest.mark.parametrize("account", ["", ACCOUNT_SID])
def test_with_no_account_configured_everybody_is_refused(settings: Settings, account: str) -> None:
    settings.TWILIO_ACCOUNT_SID = ""
    assert send(Posted(sent=with_field("AccountSid", account))) == 403


def test_tokens_are_read_from_a_list(settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = " current ,, earlier,"
    assert accepted_tokens() == ["current", "earlier"]


def test_a_public_address_with_a_port_is_signed_with_it(settings: Settings) -> None:
    url = "http://127.0.0.1:8080/twiml/start"
    assert is_signed(sign(url, {}), url)
    assert not is_signed(sign("http://127.0.0.1/twiml/start", {}), url)


@pytest.mark.parametrize(
    ("ours", "signed"),
    [
        ("https://h:443/x", "https://h/x"),
        ("https://h/x", "https://h:443/x"),
        ("http://h:80/x", "http://h/x"),
        ("http://[::1]/x", "http://[::1]:80/x"),
        ("wss://h/x", "wss://h:443/x"),
    ],
)
def test_the_default_port_may_be_written_or_not(ours: str, signed: str) -> None:
    assert is_signed(sign(signed, {}), ours)


@given(st.dictionaries(st.text("aZ09é&=+ %\n", min_size=1, max_size=8), st.text(max_size=20), max_size=6))
def test_signatures_agree_with_twilios_own(fields: dict[str, str]) -> None:
    """The SDK is the oracle of `sign`, which made every signature of the table."""
    url = f"{PUBLIC}/twiml/start?x=1"
    try:
        expected = RequestValidator(TOKEN).compute_signature(url, fields)
    except UnicodeEncodeError:
        return
    assert sign(url, fields) == expected


WSS = "wss://voice.example.com/ws/twilio"
Headers = list[tuple[bytes, bytes]]


def handshake(headers: Headers, query: bytes = b"", path: str = "/ws/twilio") -> bool:
    return verify_handshake({"type": "websocket", "path": path, "query_string": query, "headers": headers})


def signed(url: str = WSS, token: str = TOKEN) -> Headers:
    return [(b"host", b"x:99999"), (b"x-twilio-signature", sign(url, {}, token).encode())]


@pytest.mark.parametrize(
    ("headers", "query", "path", "is_welcome"),
    [
        (signed(), b"", "/ws/twilio", True),
        (signed(), b"orgId=1&callSid=2", "/ws/twilio", True),
        (signed(f"{WSS}?orgId=1"), b"orgId=1", "/ws/twilio", True),
        (signed("wss://voice.example.com:443/ws/twilio"), b"", "/ws/twilio", True),
        (signed("wss://voice.example.com/twilio"), b"", "/twilio", True),
        (signed(token="earlier"), b"", "/ws/twilio", True),
        ([], b"", "/ws/twilio", False),
        ([(b"x-twilio-signature", b"")], b"", "/ws/twilio", False),
        ([(b"x-twilio-signature", b"\xff\xfe")], b"", "/ws/twilio", False),
        ([(b"x-twilio-signature", "é".encode())], b"", "/ws/twilio", False),
        (signed(token="another"), b"", "/ws/twilio", False),
        (signed() + signed(), b"", "/ws/twilio", False),
        ([*signed(), (b"origin", b"https://voice.example.com")], b"", "/ws/twilio", False),
        ([*signed(), (b"Origin", b"null")], b"", "/ws/twilio", False),
        ([*signed(), (b"origin", b"")], b"", "/ws/twilio", False),
        (signed("https://voice.example.com/ws/twilio"), b"", "/ws/twilio", False),
        (signed("ws://voice.example.com/ws/twilio"), b"", "/ws/twilio", False),
        (signed("wss://evil.example/ws/twilio"), b"", "/ws/twilio", False),
        (signed(f"{WSS}/"), b"", "/ws/twilio", False),
        (signed(f"{WSS}?orgId=1"), b"orgId=2", "/ws/twilio", False),
        (signed(f"{WSS}?orgId=1"), b"", "/ws/twilio", False),
        (signed(), b"", "/twilio", False),
        (signed(), b"\xff\xfe", "/ws/twilio", True),
    ],
)
def test_a_stream_is_opened_by_twilio_alone(headers: Headers, query: bytes, path: str, is_welcome: bool) -> None:
    before = signatures_refused.labels("stream")._value.get()
    assert handshake(headers, query, path) is is_welcome
    assert signatures_refused.labels("stream")._value.get() == before + (not is_welcome)


def test_with_no_token_configured_no_stream_is_opened(settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = ""
    assert not handshake(signed(token=""))


def test_on_this_machine_streams_are_plain(settings: Settings) -> None:
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:8080"
    assert handshake(signed("ws://127.0.0.1:8080/ws/twilio"))
    assert not handshake(signed("wss://127.0.0.1:8080/ws/twilio"))


@given(st.text(max_size=60))
def test_no_text_that_is_not_signed_opens_a_stream(text: str) -> None:
    header = text.encode("utf-8", "surrogatepass")
    assert not handshake([(b"x-twilio-signature", header)])
    assert not is_signed(quote(text), WSS)

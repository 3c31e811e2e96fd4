"""The client of Twilio's REST API, against a server that speaks HTTP."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from pytest_django import Settings

from voiceapp.providers.errors import ProviderError
from voiceapp.providers.twilio import client as twilio
from voiceapp.providers.twilio.client import TwilioClient

ACCOUNT_SID = "AC" + "a" * 32
SID = "CA" + "1" * 32
PATH = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls/{SID}.json"


class Carrier(ThreadingHTTPServer):
    """Responds to every request with `response`, and records it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Desk)
        self.response: tuple[int, object] = (200, {"sid": SID, "status": "in-progress"})
        self.delay_s = 0.0
        self.requests: list[tuple[str, str, dict[str, list[str]], str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Desk(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Carrier)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.requests.append((self.command, self.path, parse_qs(body), self.headers["Authorization"]))
        time.sleep(self.server.delay_s)
        status, response = self.server.response
        content = response if isinstance(response, bytes) else json.dumps(response).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(OSError):  # the client may have given up
            self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    with Carrier() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def client(carrier: Carrier, settings: Settings) -> TwilioClient:
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = ACCOUNT_SID, "current,earlier"
    settings.TWILIO_BASE_URL = carrier.url + "/fault/slow=1/"
    return TwilioClient.from_settings()


def test_a_call_is_fetched_from_the_configured_address_with_the_current_token(
    client: TwilioClient, carrier: Carrier
) -> None:
    call = client.fetch_call(SID)
    assert (call.status, call.is_over) == ("in-progress", False)
    expected = "Basic " + base64.b64encode(f"{ACCOUNT_SID}:current".encode()).decode()
    assert carrier.requests == [("GET", "/fault/slow=1" + PATH, {}, expected)]


def test_hanging_up_and_redirecting_change_the_live_call(client: TwilioClient, carrier: Carrier) -> None:
    assert client.hang_up(SID) is True
    assert client.redirect(SID, twiml="<Response/>") is True
    assert [form for _, _, form, _ in carrier.requests] == [{"Status": ["completed"]}, {"Twiml": ["<Response/>"]}]


def test_a_call_that_is_over_is_no_error_in_the_newer_form_of_errors(client: TwilioClient, carrier: Carrier) -> None:
    carrier.response = (404, {"type": "about:blank", "title": "Not Found", "status": 404, "code": 20404})
    assert client.hang_up(SID) is False


@pytest.mark.parametrize(("status", "code"), [(400, 21220), (404, 20404)])
def test_a_call_that_is_over_is_no_error(client: TwilioClient, carrier: Carrier, status: int, code: int) -> None:
    carrier.response = (status, {"code": code, "message": "Call is not in-progress", "status": status})
    assert client.hang_up(SID) is False
    assert client.redirect(SID, twiml="<Response/>") is False
    assert client.fetch_call(SID).is_over


@pytest.mark.parametrize(
    ("status", "response", "permanent"),
    [
        (401, {"code": 20003, "message": "Authenticate"}, True),
        (403, {"type": "about:blank", "title": "Forbidden", "status": 403, "code": 20403}, True),
        (429, {"type": "about:blank", "title": "Too Many Requests", "status": 429, "code": 20429}, False),
        (409, {"code": 20409, "message": "Conflict"}, False),
        (400, {"code": 21205, "message": "Invalid Url"}, True),
        (429, {"code": 20429, "message": "Too Many Requests"}, False),
        (500, {"message": "oh"}, False),
        (503, b"<html>gone", False),
        (200, b"<html>a proxy's page", False),
    ],
)
def test_what_goes_wrong_says_whether_to_try_again(
    client: TwilioClient, carrier: Carrier, status: int, response: object, permanent: bool
) -> None:
    carrier.response = (status, response)
    for send_request in (client.fetch_call, client.hang_up):
        with pytest.raises(ProviderError) as fault:
            send_request(SID)
        assert (fault.value.provider, fault.value.permanent) == ("twilio", permanent)


def test_a_carrier_that_does_not_answer_is_given_up_in_time(carrier: Carrier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twilio, "RESPONSE_TIMEOUT_S", 0.2)
    carrier.delay_s = 60.0
    client = TwilioClient(account_sid=ACCOUNT_SID, auth_token="current", base_url=carrier.url)
    began = time.monotonic()
    with pytest.raises(ProviderError) as fault:
        client.hang_up(SID)
    assert time.monotonic() - began < 15
    assert not fault.value.permanent


def test_a_refused_connection_is_worth_another_try() -> None:
    client = TwilioClient(account_sid=ACCOUNT_SID, auth_token="current", base_url="http://127.0.0.1:9")
    with pytest.raises(ProviderError) as fault:
        client.fetch_call(SID)
    assert not fault.value.permanent


def test_without_credentials_no_request_is_sent() -> None:
    with pytest.raises(ProviderError) as fault:
        TwilioClient(account_sid="", auth_token="")
    assert fault.value.permanent


@pytest.mark.parametrize("sid", ["", "CA1", "ca" + "1" * 32, "CA" + "1" * 31 + "/", "SM" + "1" * 32])
def test_what_is_no_callsid_is_never_sent(sid: str) -> None:
    client = TwilioClient(account_sid=ACCOUNT_SID, auth_token="t", base_url="http://127.0.0.1:9")
    with pytest.raises(ProviderError) as refused:
        client.hang_up(sid)
    assert refused.value.permanent


def test_twiml_that_is_too_long_for_an_update_is_never_sent() -> None:
    client = TwilioClient(account_sid=ACCOUNT_SID, auth_token="t", base_url="http://127.0.0.1:9")
    with pytest.raises(ProviderError) as refused:
        client.redirect(SID, twiml="<Response>" + " " * 4000 + "</Response>")
    assert refused.value.permanent

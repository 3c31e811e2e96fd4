"""However `endpoint` is written or resolves, no socket and no key goes where it should not."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as product
from pytest_django import Settings

from agents.configuration.models import RealtimeEndpoint
from agents.organizations.models import Organization
from agents.organizations.services import issue_key
from agents.tests.builders import make_organization
from sessions.realtime.services import client_secrets as realtime_endpoints
from voiceapp.core.web_addresses import is_loopback, read_origin
from voiceapp.providers import pinned_http
from voiceapp.providers.openai import endpoint as openai_endpoint
from voiceapp.simulators.openai import OpenAISimulator

from .conftest import BODY, OPENAI_KEY, SendRequest, list_endpoint
from .dialed import Dialed
from .hostile import HOSTILE, LISTED, PRIVATE
from .stub import MINTED, Stub, behind_tls, serving

pytestmark = pytest.mark.embedded

REFUSED = {"error_code": "invalid_request", "message": "This endpoint is not allowed (endpoint)."}
UNAVAILABLE = {"error_code": "provider_error", "message": "The endpoint is unavailable."}
PUBLIC = "93.184.216.34"
OWN_KEY = "sk-of-alice-for-there"
Resolve = Callable[..., list[str]]


def place(url: str) -> str:
    """`host:port` of a server of the test."""
    return urlsplit(url).netloc


@pytest.fixture
def known(address: str, openai: OpenAISimulator) -> tuple[str, ...]:
    """Where the test and the product may connect to in any case; Redis counts the limits where there is one."""
    return place(address), place(openai.address), *([place(product.REDIS_URL)] if product.REDIS_URL else [])


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """`resolves([a, b], [c])`: what the listed name leads to at the first look-up, at the second and after."""
    answers: list[list[str]] = []
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: object, port: object, *args: object, **kwargs: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        if name != urlsplit(LISTED).hostname:
            return real(host, port, *args, **kwargs)  # type: ignore[arg-type]
        looked_up.append(str(name))
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    def resolve(*each_time: list[str]) -> list[str]:
        answers[:] = each_time
        return looked_up

    return resolve


def test_the_corpus_is_large_and_says_nothing_twice() -> None:
    assert len(HOSTILE) >= 120
    assert len(set(HOSTILE)) == len(HOSTILE)


@pytest.mark.parametrize("environment", ["prod", "", "DEV"])
def test_no_hostile_endpoint_is_looked_up_or_dialed(
    send_request: SendRequest,
    alices: Organization,
    settings: Settings,
    stub: Stub,
    dialed: Dialed,
    known: tuple[str, ...],
    environment: str,
) -> None:
    settings.ENVIRONMENT = environment
    list_endpoint(alices, LISTED)
    let_in = []
    for endpoint in [*HOSTILE, stub.url, stub.url.replace("127.0.0.1", "localhost")]:
        answer = send_request({**BODY, "endpoint": endpoint})
        is_refused = answer.status_code == 400 and answer.json()["error_code"] == "invalid_request"
        if not is_refused or set(answer.json()) != {"error_code", "message"}:
            let_in.append((endpoint, answer.status_code, answer.text))
    assert let_in == []
    assert dialed.beside(*known) == set()
    assert set(dialed.names) <= {"127.0.0.1"}
    assert stub.sent == []


def test_the_developers_machine_lets_stubs_in_and_nothing_else(
    send_request: SendRequest, settings: Settings, dialed: Dialed, known: tuple[str, ...]
) -> None:
    settings.ENVIRONMENT = "dev"
    for endpoint in HOSTILE:
        answer = send_request({**BODY, "endpoint": endpoint})
        assert answer.status_code in (400, 500), endpoint
        try:
            is_stub = read_origin(endpoint).is_this_machine
        except ValueError:
            is_stub = False
        assert is_stub or answer.status_code == 400, (endpoint, answer.text)
    # Loopback by whatever name, where nobody listens; a dial elsewhere would have been noted.
    dialed_hosts = {host for host, _ in dialed.beside(*known)}
    assert dialed_hosts
    assert all(is_loopback(host) for host in dialed_hosts)


def test_a_request_to_a_listed_origin_has_its_own_key_over_tls_for_its_name(
    send_request: SendRequest,
    alices: Organization,
    resolves: Resolve,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    known: tuple[str, ...],
    dialed: Dialed,
) -> None:
    list_endpoint(alices, LISTED, OWN_KEY)
    looked_up = resolves(["127.0.0.77"], ["127.0.0.1"])
    monkeypatch.setattr(realtime_endpoints, "is_public", lambda address: address == "127.0.0.77")
    with tls_stub("voice.example.com", monkeypatch, tmp_path) as stub:
        answer = send_request({**BODY, "endpoint": f"{LISTED}:443/some/path?x=1"})
    assert answer.json()["session"]["client_secret"]["value"] == MINTED["value"]
    [sent] = stub.sent
    assert (sent.path, sent.key) == ("/v1/realtime/client_secrets", f"Bearer {OWN_KEY}")
    assert sent.headers["Host"] == "voice.example.com"
    assert OPENAI_KEY not in json.dumps(sent.headers) + sent.body.decode()
    assert looked_up == ["voice.example.com"]
    assert dialed.beside(*known) == {("127.0.0.77", 443)}


def test_a_certificate_for_another_name_gets_no_key(
    send_request: SendRequest, alices: Organization, resolves: Resolve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    list_endpoint(alices, LISTED, OWN_KEY)
    resolves(["127.0.0.77"])
    monkeypatch.setattr(realtime_endpoints, "is_public", lambda _: True)
    with tls_stub("evil.example", monkeypatch, tmp_path) as stub:
        answer = send_request({**BODY, "endpoint": LISTED})
    assert (answer.status_code, answer.json()) == (500, UNAVAILABLE)
    assert stub.sent == []


def tls_stub(name: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> AbstractContextManager[Stub]:
    try:
        stub = Stub("127.0.0.77", 443)
    except PermissionError:
        pytest.skip("may not listen on port 443")
    context: ssl.SSLContext = behind_tls(stub, name, folder)
    monkeypatch.setattr(pinned_http, "public_authorities", lambda: context)
    return serving(stub)


def test_a_name_that_flips_is_dialed_at_the_address_that_was_checked(
    send_request: SendRequest, alices: Organization, resolves: Resolve, dialed: Dialed, known: tuple[str, ...]
) -> None:
    list_endpoint(alices, LISTED)
    looked_up = resolves([PUBLIC], ["127.0.0.1"])
    answer = send_request({**BODY, "endpoint": LISTED})
    assert (answer.status_code, answer.json()) == (500, UNAVAILABLE)
    assert looked_up == ["voice.example.com"]
    assert dialed.beside(*known) == {(PUBLIC, 443)}


@pytest.mark.parametrize("first", [[], [PUBLIC], ["2606:2800:220:1:248:1893:25c8:1946"]], ids=str)
def test_a_listed_name_that_leads_inside_is_not_dialed(
    send_request: SendRequest,
    alices: Organization,
    resolves: Resolve,
    dialed: Dialed,
    known: tuple[str, ...],
    first: list[str],
) -> None:
    list_endpoint(alices, LISTED)
    for address in PRIVATE:
        resolves([*first, address])
        answer = send_request({**BODY, "endpoint": LISTED})
        assert (answer.status_code, answer.json()) == (400, REFUSED), address
    assert dialed.beside(*known) == set()


def test_a_name_that_leads_nowhere_reads_like_one_that_leads_inside(
    send_request: SendRequest, alices: Organization, resolves: Resolve
) -> None:
    list_endpoint(alices, LISTED)
    resolves([])
    answer = send_request({**BODY, "endpoint": LISTED})
    assert (answer.status_code, answer.json()) == (400, REFUSED)


def test_a_redirect_is_not_followed(
    send_request: SendRequest, stub: Stub, settings: Settings, dialed: Dialed, known: tuple[str, ...]
) -> None:
    settings.ENVIRONMENT = "dev"
    with serving(Stub()) as trap:
        for status in (301, 302, 303, 307, 308):
            stub.response.status, stub.response.headers = status, {"Location": f"{trap.url}/v1/realtime/client_secrets"}
            answer = send_request({**BODY, "endpoint": stub.url})
            assert (answer.status_code, answer.json()["error_code"]) == (500, "provider_error")
        assert trap.sent == []
    assert dialed.beside(*known) == {("127.0.0.1", stub.server_port)}


def test_the_environments_proxy_is_not_used(
    send_request: SendRequest, stub: Stub, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ENVIRONMENT = "dev"
    with serving(Stub()) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.upper(), proxy.url)
        assert send_request({**BODY, "endpoint": stub.url}).status_code == 200
        assert send_request().status_code == 200
        assert proxy.sent == []


@pytest.mark.parametrize(
    "response",
    [
        {"status": 401, "body": b"secret of the upstream"},
        {"status": 200, "body": b"secret of the upstream"},
        {"status": 200, "body": b"[" * 100_000},
        {"status": 200, "body": b"[]"},
        {"status": 200, "body": b"{}"},
        {"status": 200, "body": b'{"value": 5, "expires_at": 1, "session": {}}'},
        {"status": 200, "body": b'{"value": "ek", "expires_at": "soon", "session": {}}'},
        {"status": 200, "body": b'{"value": "ek", "expires_at": 1e400, "session": {}}'},
        {"status": 200, "body": json.dumps(MINTED).encode() + b" " * (2 << 20)},
        {"status": 200, "headers": {"Content-Encoding": "gzip"}, "body": b"\x1f\x8b"},
        {"status": 200, "drips": True},
        {"status": 200, "hangs_s": 60.0},
        {"status": 999},
    ],
    ids=lambda response: str(response)[:40],
)
def test_of_a_listed_origin_nothing_is_passed_on(
    send_request: SendRequest,
    alices: Organization,
    resolves: Resolve,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    response: dict[str, object],
) -> None:
    list_endpoint(alices, LISTED)
    resolves(["127.0.0.77"])
    monkeypatch.setattr(realtime_endpoints, "is_public", lambda _: True)
    monkeypatch.setattr(openai_endpoint, "WHOLE_RESPONSE_S", 1.0)
    with tls_stub("voice.example.com", monkeypatch, tmp_path) as stub:
        for name, value in response.items():
            setattr(stub.response, name, value)
        began = time.monotonic()
        answer = send_request({**BODY, "endpoint": LISTED})
    assert (answer.status_code, answer.json()) == (500, UNAVAILABLE)
    assert time.monotonic() - began < 10
    assert len(stub.sent) == 1


def test_a_name_server_that_hangs_times_out(
    send_request: SendRequest, alices: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_endpoint(alices, LISTED)
    real, goes_on = socket.getaddrinfo, threading.Event()

    def hang(host: object, *args: object, **kwargs: object) -> object:
        if host == "voice.example.com":
            goes_on.wait(60)
            raise socket.gaierror
        return real(host, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(openai_endpoint, "WHOLE_RESPONSE_S", 0.5)
    began = time.monotonic()
    answer = send_request({**BODY, "endpoint": LISTED})
    assert (answer.status_code, answer.json()) == (500, UNAVAILABLE)
    assert time.monotonic() - began < 10
    goes_on.set()


def test_each_organization_has_a_list_of_its_own(
    send_request: SendRequest, alices: Organization, resolves: Resolve, dialed: Dialed, known: tuple[str, ...]
) -> None:
    charlies = make_organization("Charlie's")
    list_endpoint(charlies, LISTED, "sk-of-charlie")
    resolves([PUBLIC])
    assert send_request({**BODY, "endpoint": LISTED}).json() == REFUSED
    assert dialed.beside(*known) == set()
    key = issue_key(charlies, name="theirs").text
    assert send_request({**BODY, "endpoint": LISTED}, key=key).json() == UNAVAILABLE
    assert dialed.beside(*known) == {(PUBLIC, 443)}


def test_a_key_that_cannot_be_read_is_sent_nowhere(
    send_request: SendRequest, alices: Organization, resolves: Resolve, dialed: Dialed, known: tuple[str, ...]
) -> None:
    endpoint = list_endpoint(alices, "https://other.example.com")
    RealtimeEndpoint.objects.filter(pk=endpoint.pk).update(origin=LISTED)
    resolves([PUBLIC])
    answer = send_request({**BODY, "endpoint": LISTED})
    assert (answer.status_code, answer.json()) == (500, UNAVAILABLE)
    assert dialed.beside(*known) == set()


def test_a_row_that_slipped_past_the_form_is_not_dialed(
    send_request: SendRequest,
    alices: Organization,
    stub: Stub,
    resolves: Resolve,
    dialed: Dialed,
    known: tuple[str, ...],
) -> None:
    resolves([PUBLIC])
    for origin in (stub.url, "https://127.0.0.1", "https://localhost", f"{LISTED}:8443", "http://voice.example.com"):
        list_endpoint(alices, origin)
        assert send_request({**BODY, "endpoint": origin}).json() == REFUSED
    assert dialed.beside(*known) == set()


def test_a_refusal_has_one_text_whatever_the_reason(send_request: SendRequest) -> None:
    for endpoint in ("https://127.0.0.1/", "https://evil.example/", "http://localhost:6379", "ftp://x", LISTED):
        answer = send_request({**BODY, "endpoint": endpoint})
        assert (answer.status_code, answer.json()) == (400, REFUSED)

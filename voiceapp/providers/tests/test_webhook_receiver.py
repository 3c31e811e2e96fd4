"""The signed POST of a webhook: what is sent, what a response means, and where it is never sent."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from voiceapp.core.web_addresses import is_loopback, is_public
from voiceapp.providers import webhook_receiver
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.webhook_receiver import Attempt, WebhookReceiver
from voiceapp.providers.webhook_signature import new_secret, signature_header

BODY = '{"order": "große Pizza"}'.encode()
SECRET = new_secret()


class Kitchen(ThreadingHTTPServer):
    """A receiver with a configured response that records its requests."""

    daemon_threads = True

    def __init__(self) -> None:
        self.status = 200
        self.retry_after = ""
        self.drips = False
        self.body = b"secret"
        self.cookie = ""
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), KitchenHandler)
        self.url = f"http://127.0.0.1:{self.server_port}/orders?kind=new"


class KitchenHandler(BaseHTTPRequestHandler):
    server: Kitchen

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        if self.server.drips:
            with contextlib.suppress(OSError):  # the client gives up
                for character in b"HTTP/1.1 200 OK" + b" " * 600:
                    time.sleep(0.1)
                    self.wfile.write(bytes([character]))
            return
        self.send_response(self.server.status)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        if self.server.retry_after:
            self.send_header("Retry-After", self.server.retry_after)
        if self.server.cookie:
            self.send_header("Set-Cookie", self.server.cookie)
        if self.server.status not in (204, 304):
            self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        if self.server.status not in (204, 304):
            self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def kitchen() -> Iterator[Kitchen]:
    with Kitchen() as kitchen:
        thread = threading.Thread(target=kitchen.serve_forever, args=(0.01,))
        thread.start()
        yield kitchen
        kitchen.shutdown()
        thread.join()


def post(url: str, *, may_be_local: bool = True) -> None:
    attempt = attempt_at(url, may_be_local=may_be_local)
    if attempt.fault is not None:
        raise attempt.fault


def attempt_at(url: str, *, may_be_local: bool = True, secrets: tuple[str, ...] = (SECRET,)) -> Attempt:
    receiver = WebhookReceiver(may_be_local=may_be_local, version="1.2.3")
    return receiver.post(url, secrets=secrets, webhook_id="m-1", body=BODY)


def failure(url: str, *, may_be_local: bool = True) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        post(url, may_be_local=may_be_local)
    return caught.value


def test_the_signature_is_that_of_the_specification() -> None:
    """Standard Webhooks, libraries' common test vector."""
    found = signature_header(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        sent_at_s=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_post_carries_body_id_time_and_a_signature_for_each_secret(kitchen: Kitchen) -> None:
    earlier = new_secret()
    attempt = attempt_at(kitchen.url, secrets=(SECRET, earlier))
    ((path, headers, body),) = kitchen.got
    assert (path, body) == ("/orders?kind=new", BODY)
    assert headers["Host"] == f"127.0.0.1:{kitchen.server_port}"
    sent = {name.lower(): value for name, value in headers.items()}
    assert (sent["webhook-id"], sent["content-type"]) == ("m-1", "application/json")
    sent_at_s = int(sent["webhook-timestamp"])
    assert abs(sent_at_s - time.time()) < 30
    both = signature_header((SECRET, earlier), webhook_id="m-1", sent_at_s=sent_at_s, body=BODY)
    assert sent["webhook-signature"] == both
    assert len(both.split(" ")) == 2
    assert (attempt.status, attempt.body, attempt.fault) == (200, "secret", None)
    assert "webhook-signature" not in attempt.request_headers


def test_of_a_response_only_what_explains_it_is_kept(kitchen: Kitchen) -> None:
    kitchen.status, kitchen.body, kitchen.cookie = 500, b"\x00" + b"x" * 10_000, "session=secret"
    attempt = attempt_at(kitchen.url)
    assert (attempt.status, len(attempt.body), attempt.body[:2]) == (500, 4096, "\ufffdx")
    assert "secret" not in str(attempt.headers)
    assert attempt.headers["content-length"] == "10001"


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_done(status: int, kitchen: Kitchen) -> None:
    kitchen.status = status
    post(kitchen.url)


@pytest.mark.parametrize(
    ("status", "is_permanent"),
    [
        (301, True),
        (307, True),
        (400, True),
        (401, True),
        (404, True),
        (408, False),
        (409, False),
        (410, True),
        (425, False),
        (429, False),
        (500, False),
        (503, False),
    ],
)
def test_what_an_answer_means(status: int, is_permanent: bool, kitchen: Kitchen) -> None:
    kitchen.status = status
    error = failure(kitchen.url)
    assert (error.permanent, str(error)) == (is_permanent, f"webhook endpoint: returned {status}")
    assert len(kitchen.got) == 1


def test_a_refused_connection_is_worth_another_try() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = failure(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert (error.permanent, str(error)) == (False, "webhook endpoint: no response (ConnectError)")


def test_an_answer_that_drips_is_given_up(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    kitchen.drips = True
    monkeypatch.setattr(webhook_receiver, "WHOLE_POST_S", 0.4)
    began = time.monotonic()
    assert not failure(kitchen.url).permanent
    assert time.monotonic() - began < 15


def test_a_name_is_dialed_at_the_address_that_was_checked(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    real, lookups = socket.getaddrinfo, []

    def rebinding(host: object, port: object, *args: object, **kwargs: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        if name != "kitchen.example":
            return real(host, port, *args, **kwargs)  # type: ignore[arg-type]
        lookups.append(name)
        # A second lookup would lead elsewhere.
        address = "127.0.0.1" if len(lookups) == 1 else "127.0.0.9"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, kitchen.server_port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    post(f"http://kitchen.example:{kitchen.server_port}/orders")
    assert lookups == ["kitchen.example"]
    assert kitchen.got[0][1]["Host"] == f"kitchen.example:{kitchen.server_port}"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "https://127.0.0.1:{port}/",
        "http://127.1:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://0:{port}/",
        "http://localhost:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://127。0。0。1:{port}/",
        "http://①②⑦.⓪.⓪.①:{port}/",
        "http://user:password@127.0.0.1:{port}/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fec0::1]/",
        "https://224.0.0.1/",
        "https://100.64.0.1/",
        "http://93.184.216.34/",
        "ftp://93.184.216.34/",
        "file:///etc/passwd",
        "//93.184.216.34/",
        "https:///path",
        "https://exa mple.com/",
        "https://" + "a" * 64 + ".example/",
        "https://93.184.216.34:99999/",
        "not a url",
        "",
    ],
)
def test_no_socket_is_opened_to_an_address_that_is_not_public(
    url: str, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialed: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: dialed.append(address))
    monkeypatch.setattr("asyncio.selector_events.BaseSelectorEventLoop.sock_connect", lambda *a: dialed.append(a))
    error = failure(url.replace("{port}", str(kitchen.server_port)), may_be_local=False)
    assert error.permanent or "gaierror" in str(error)
    assert dialed == []
    assert kitchen.got == []


def test_plain_http_stays_on_this_machine(kitchen: Kitchen) -> None:
    assert failure("http://93.184.216.34/").permanent
    assert failure("http://10.0.0.1/").permanent


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)
    assert not is_loopback(address)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.1.1", "fe80::1%eth0", "0.0.0.0", "::",
     "224.0.0.1", "255.255.255.255", "100.64.0.1", "::ffff:10.0.0.1", "64:ff9b::1", "2002::1", "2001::1", "fc00::1"],
)  # fmt: skip
def test_other_addresses_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(("status", "wait_s"), [(429, 30.0), (503, 30.0), (409, 30.0), (400, None), (410, None)])
def test_a_receiver_that_says_when_to_try_again_is_believed(
    kitchen: Kitchen, status: int, wait_s: float | None
) -> None:
    kitchen.status, kitchen.retry_after = status, "30"
    with pytest.raises(ProviderError) as caught:
        post(kitchen.url)
    assert caught.value.retry_after_s == wait_s
    assert caught.value.permanent is (wait_s is None)

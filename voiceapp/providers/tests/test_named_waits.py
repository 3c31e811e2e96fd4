"""A provider that names when to try again is heard by each of our clients, over real HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_django import Settings

from voiceapp.providers.aws.dynamodb import AwsTable
from voiceapp.providers.aws.secrets_manager import KeptSecret, fetch_secret
from voiceapp.providers.aws.sqs import AwsQueue
from voiceapp.providers.clerk.keys import FetchedKeys, download
from voiceapp.providers.errors import ProviderError, RetryClass
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.openai.rest import post_json
from voiceapp.providers.twilio.client import TwilioClient
from voiceapp.providers.webhook_receiver import WebhookReceiver
from voiceapp.providers.webhook_signature import new_secret


class Refusing(ThreadingHTTPServer):
    """Answers everything with `status` and, where it is set, `retry_after`; counts the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 429
        self.retry_after = "40"
        self.requests = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Refusing)
        self.server.requests += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.server.status)
        if self.server.retry_after:
            self.send_header("Retry-After", self.server.retry_after)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_PUT = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def provider(settings: Settings) -> Iterator[Refusing]:
    with Refusing() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        settings.AWS_ENDPOINT_URL = server.url
        settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = "test"
        yield server
        server.shutdown()


def hang_up(url: str) -> object:
    return TwilioClient(account_sid="AC" + "a" * 32, auth_token="t", base_url=url).hang_up("CA" + "1" * 32)


def fetch_call(url: str) -> object:
    return TwilioClient(account_sid="AC" + "a" * 32, auth_token="t", base_url=url).fetch_call("CA" + "1" * 32)


def livekit(url: str) -> LiveKitClient:
    return LiveKitClient(url=url, api_key="key", api_secret="secret-of-32-characters-or-more-x")


def order_to(url: str) -> None:
    attempt = WebhookReceiver(may_be_local=True, version="1").post(
        url, secrets=[new_secret()], webhook_id="m", body=b"{}"
    )
    if attempt.fault is not None:
        raise attempt.fault


REQUESTS: dict[str, Callable[[str], object]] = {
    "Twilio, a call ended": hang_up,
    "Twilio, a call looked up": fetch_call,
    "LiveKit, a room made": lambda url: livekit(url).create_room("r"),
    "LiveKit, rooms listed": lambda url: livekit(url).find_room("r"),
    "SQS": lambda url: AwsQueue(f"{url}/1/q").send("{}", message_id="m", group="g"),
    "DynamoDB": lambda url: AwsTable("t", key="id", ttl="ttl").keep({"id": "1"}),
    "Secrets Manager": lambda url: fetch_secret("s"),
    "Clerk": download,
    "OpenAI": lambda url: post_json(url, {}, headers={}),
    "an orders address": order_to,
}


def error_of(send_request: Callable[[str], object], provider: Refusing) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        send_request(provider.url)
    return caught.value


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("send_request", REQUESTS.values(), ids=REQUESTS)
def test_the_wait_is_reported_and_no_request_is_sent_before(
    provider: Refusing, send_request: Callable[[str], object], status: int
) -> None:
    provider.status = status
    error = error_of(send_request, provider)
    assert (error.retry_class, error.retry_after_s, error.permanent) == (RetryClass.WAIT, 40, False)
    assert provider.requests == 1


@pytest.mark.parametrize("send_request", REQUESTS.values(), ids=REQUESTS)
def test_a_refusal_that_names_no_wait_may_be_tried_again(
    provider: Refusing, send_request: Callable[[str], object]
) -> None:
    provider.retry_after = ""
    error = error_of(send_request, provider)
    assert (error.retry_class, error.retry_after_s, error.permanent) == (RetryClass.AGAIN, None, False)


@pytest.mark.parametrize("name", ["Twilio, a call ended", "LiveKit, a room made", "Clerk", "OpenAI"])
def test_what_is_refused_for_good_is_not_made_transient_by_a_wait(provider: Refusing, name: str) -> None:
    provider.status = 403
    error = error_of(REQUESTS[name], provider)
    assert (error.permanent, error.retry_after_s) == (True, None)


def test_keys_that_are_to_be_waited_for_are_not_fetched_again_before(provider: Refusing) -> None:
    keys = FetchedKeys(provider.url, cooldown_s=0.0)
    for key_id in ("one", "two", "three"):
        with pytest.raises(ProviderError):
            keys.key(key_id)
    assert provider.requests == 1


def test_keys_are_fetched_after_the_wait(provider: Refusing) -> None:
    provider.retry_after = "1"
    keys = FetchedKeys(provider.url, cooldown_s=0.0)
    for pause_s in (0.0, 1.1):
        time.sleep(pause_s)  # the named wait is by the clock
        with pytest.raises(ProviderError):
            keys.key("one")
    assert provider.requests == 2


def test_a_secret_that_is_to_be_waited_for_is_not_fetched_again_before(
    provider: Refusing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voiceapp.providers.aws.secrets_manager.COOLDOWN_AFTER_FAILURE_S", 0.0)
    secret = KeptSecret("s")
    for _ in range(3):
        with pytest.raises(ProviderError):
            secret.text()
    assert provider.requests == 1

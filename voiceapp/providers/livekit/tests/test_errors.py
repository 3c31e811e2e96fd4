"""Whatever LiveKit or the network does to a request, the client raises LiveKitError of the right kind, in time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest
from pytest_django import Settings

from voiceapp.providers.errors import ProviderError
from voiceapp.providers.livekit import client as livekit_provider
from voiceapp.providers.livekit.client import AgentRequest, LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET, RunningLiveKit

Kind = LiveKitErrorKind
AGENT = AgentRequest("voice-agent")


def client_at(url: str) -> LiveKitClient:
    return LiveKitClient(url=url, api_key=API_KEY, api_secret=API_SECRET)


def fault_of(act: Callable[[], object]) -> LiveKitError:
    with pytest.raises(LiveKitError) as error:
        act()
    assert isinstance(error.value, ProviderError)
    assert error.value.provider == "livekit"
    return error.value


@pytest.mark.parametrize(
    ("fault", "kind", "permanent"),
    [
        ("away", Kind.UNAVAILABLE, False),
        ("away=502", Kind.UNAVAILABLE, False),
        ("away=504", Kind.TIMEOUT, False),
        ("away=404", Kind.UNAVAILABLE, False),
        ("away=403", Kind.CREDENTIALS_REFUSED, True),
        ("away=500", Kind.REFUSED, False),
        ("reset", Kind.UNAVAILABLE, False),
        ("lost_answer", Kind.UNAVAILABLE, False),
        ("garbage", Kind.UNAVAILABLE, False),
        ("empty", Kind.UNAVAILABLE, False),
        ("garbage_protobuf", Kind.UNAVAILABLE, False),
        ("credentials", Kind.CREDENTIALS_REFUSED, True),
        ("not_found", Kind.NOT_FOUND, True),
        ("code=invalid_argument", Kind.BAD_INPUT, True),
        ("code=malformed", Kind.BAD_INPUT, True),
        ("code=out_of_range", Kind.BAD_INPUT, True),
        ("code=already_exists", Kind.REFUSED, False),
        ("code=failed_precondition", Kind.ALREADY_ENDED, True),
        ("code=resource_exhausted", Kind.UNAVAILABLE, False),
        ("code=unavailable", Kind.UNAVAILABLE, False),
        ("code=deadline_exceeded", Kind.TIMEOUT, False),
        ("code=canceled", Kind.TIMEOUT, False),
        ("code=internal", Kind.REFUSED, False),
        ("code=bad_route", Kind.UNAVAILABLE, False),
        ("code=unauthenticated", Kind.CREDENTIALS_REFUSED, True),
        ("code=permission_denied", Kind.CREDENTIALS_REFUSED, True),
    ],
)
def test_each_fault_has_its_kind(livekit: RunningLiveKit, fault: str, kind: Kind, permanent: bool) -> None:
    client = client_at(livekit.server.fault_url(fault))
    requests: list[Callable[[], object]] = [
        lambda: client.create_room("room"),
        lambda: client.find_room("room"),
        lambda: client.list_participants("room"),
        lambda: client.create_dispatch("room", AGENT),
        lambda: client.list_recordings("room"),
    ]
    for request in requests:
        error = fault_of(request)
        assert (error.kind, error.permanent) == (kind, permanent), error


def test_what_was_done_before_the_response_was_lost_is_done(livekit: RunningLiveKit) -> None:
    client = client_at(livekit.server.fault_url("lost_answer"))
    assert fault_of(lambda: client.create_room("room")).kind is Kind.UNAVAILABLE
    assert client_at(livekit.url).find_room("room")


def test_a_fault_can_be_for_one_method(livekit: RunningLiveKit) -> None:
    client = client_at(livekit.server.fault_url("away", "only=CreateDispatch"))
    client.create_room("room")
    assert fault_of(lambda: client.create_dispatch("room", AGENT)).kind is Kind.UNAVAILABLE
    assert client.delete_room("room") is True


def test_a_livekit_that_does_not_answer_is_given_up_in_time(
    livekit: RunningLiveKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livekit_provider, "RESPONSE_TIMEOUT_S", 0.1)
    began_s = time.monotonic()
    assert fault_of(lambda: client_at(livekit.server.fault_url("slow=60000")).find_room("room")).kind is Kind.TIMEOUT
    assert time.monotonic() - began_s < 15


def test_a_refused_connection_means_unavailable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert fault_of(lambda: client_at(f"ws://127.0.0.1:{port}").find_room("room")).kind is Kind.UNAVAILABLE


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://127.0.0.1", "http://127.0.0.1:99999", "wss://", "http://no.such.invalid"]
)
def test_an_address_that_leads_nowhere_is_away(url: str) -> None:
    assert fault_of(lambda: client_at(url).find_room("room")).kind is Kind.UNAVAILABLE


def test_dispatches_of_a_room_that_is_gone_are_not_answered(livekit: RunningLiveKit) -> None:
    assert fault_of(lambda: client_at(livekit.url).list_dispatches("gone")).kind is Kind.UNAVAILABLE


@pytest.mark.parametrize("missing", ["LIVEKIT_HOST", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"])
def test_without_its_settings_it_is_not_configured(settings: Settings, missing: str) -> None:
    for key in ("LIVEKIT_HOST", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        setattr(settings, key, "" if key == missing else "wss://x")
    settings.LIVEKIT_INTERNAL_URL = ""
    error = fault_of(LiveKitClient.from_settings)
    assert (error.kind, error.permanent) == (Kind.NOT_CONFIGURED, True)


def test_browsers_get_the_public_url_and_we_use_the_internal_one(settings: Settings, livekit: RunningLiveKit) -> None:
    settings.LIVEKIT_HOST, settings.LIVEKIT_INTERNAL_URL = "wss://voice.example.com", livekit.url
    settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET = API_KEY, API_SECRET
    client = LiveKitClient.from_settings()
    assert client.browser_url == "wss://voice.example.com"
    assert client.create_room("room").name == "room"


def test_a_ws_address_will_do_for_our_own_requests(livekit: RunningLiveKit) -> None:
    assert client_at(livekit.url.replace("http", "ws")).find_room("room") is None


def test_no_error_shows_the_secret(livekit: RunningLiveKit) -> None:
    for fault in ("away", "credentials", "code=internal", "garbage"):
        error = fault_of(lambda fault=fault: client_at(livekit.server.fault_url(fault)).find_room("room"))  # type: ignore[misc]  # bound now
        assert API_SECRET not in f"{error!r} {error.__cause__!r}"

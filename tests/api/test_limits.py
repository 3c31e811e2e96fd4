"""Of many requests at once, at any endpoint of a limit, exactly the limit succeeds."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping

import httpx
import pytest
import time_machine
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from sessions.calls.models import Call, CallKind, CallState, CallType
from voiceapp.core.limits.limit import LIMITS, Limit
from voiceapp.core.limits.models import LimitCount
from voiceapp.core.limits.tests.conftest import NOW, in_memory, on_redis
from voiceapp.core.limits.tests.crowd import at_once
from voiceapp.tests.limits import raise_limits

from .conftest import Product

__all__ = ["in_memory", "on_redis"]

ROOM = "support-user123-1640995200"
ROOM_BODY: Mapping[str, object] = {"json": {"roomName": ROOM}}
ROOM_QUERY: Mapping[str, object] = {"params": {"roomName": ROOM}}
OPENING: Mapping[str, object] = {"json": {"model": "gpt-realtime", "voice": "marin"}}
# Every endpoint of each limit, and the status of a request within the limit.
REQUESTS: dict[str, list[tuple[str, str, Mapping[str, object], int]]] = {
    "session_creation": [
        ("POST", "/api/voice/session", {"json": {"enableAiAgent": False}}, 200),
        ("POST", "/api/voice/token", {"json": {"spawnAiAgent": False}}, 200),
        ("POST", "/voice-session", {"json": {}}, 200),
    ],
    "realtime": [
        ("POST", "/api/voice/realtime", ROOM_BODY, 404),
        ("POST", "/api/voice/agent", ROOM_BODY, 404),
    ],
    "recording": [
        ("POST", "/api/voice/recording", ROOM_BODY, 400),
        ("PATCH", "/api/voice/recording", {"json": {"roomName": ROOM, "transcript": "Hello."}}, 404),
    ],
    "read": [
        ("GET", "/api/voice/session", {}, 200),
        ("GET", "/api/voice/realtime", ROOM_QUERY, 200),
        ("GET", "/api/voice/agent", ROOM_QUERY, 200),
        ("GET", "/api/voice/recording", {"params": {"listAll": "true"}}, 200),
        ("GET", "/api/voice/search", {"params": {"q": "pizza"}}, 200),
        ("HEAD", "/api/voice/session", {}, 200),
    ],
    "realtime_session": [("POST", "/realtime_session", OPENING, 200)],
}  # fmt: skip
AS_SPECIFIED = {"session_creation": 10, "realtime": 30, "recording": 20, "read": 100, "realtime_session": 3}
CROWD = 64


@pytest.fixture(params=["in_memory", pytest.param("on_redis", marks=pytest.mark.servers)])
def counted(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(request.param)


@pytest.fixture
def long_backlog(live_server: LiveServer) -> None:
    """Django's test server would queue ten connections and reject the rest."""
    live_server.thread.httpd.socket.listen(2 * CROWD)


@pytest.fixture
def call(product: Product) -> Call:
    """It rings in a room that LiveKit has closed: it can be read, and nothing can start in it."""
    return Call.objects.create(
        organization=product.organization,
        owner="user_alice",
        kind=CallKind.ROOM,
        room_name=ROOM,
        call_type=CallType.SUPPORT,
        state=CallState.RINGING,
    )


def test_the_defaults_are_those_of_the_documentation() -> None:
    assert {limit.name: limit.rate.count for limit in LIMITS} == AS_SPECIFIED


@pytest.mark.usefixtures("counted", "call", "long_backlog")
@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_of_64_requests_at_once_the_limit_succeeds(product: Product, limit: Limit, settings: Settings) -> None:
    rate = "50/15m" if limit.name == "read" else getattr(settings, limit.setting)
    # The other limits are out of reach: a request that another one counts as well, or instead, would show.
    raise_limits(settings)
    setattr(settings, limit.setting, rate)
    endpoints = itertools.cycle(REQUESTS[limit.name])
    crowd = [next(endpoints) for _ in range(CROWD)]
    with (
        time_machine.travel(NOW, tick=False),
        httpx.Client(
            base_url=product.url,
            headers={"Authorization": f"Bearer {product.key}"},
            timeout=60,
            limits=httpx.Limits(max_connections=CROWD),
            trust_env=False,
            verify=False,
        ) as http,
    ):
        responses = at_once(CROWD, lambda: _send(http, *crowd.pop()))
    allowed = limit.rate.count
    rejected = [response for response, _ in responses if response.status_code == 429]
    within = [(response, status) for response, status in responses if response.status_code != 429]
    assert len(within) == allowed
    assert Counter(response.status_code for response, _ in within) == Counter(status for _, status in within)
    # Each has another remainder, down to none: one counter for all the endpoints.
    left = sorted(int(response.headers["X-RateLimit-Remaining"]) for response, _ in within)
    assert left == list(range(allowed))
    headers = [(each.headers["X-RateLimit-Limit"], each.headers["X-RateLimit-Remaining"]) for each in rejected]
    assert set(headers) == {(str(allowed), "0")}
    assert all(int(response.headers["Retry-After"]) >= 1 for response in rejected)
    assert not LimitCount.objects.exists()


def _send(
    http: httpx.Client, method: str, path: str, given: Mapping[str, object], status: int
) -> tuple[httpx.Response, int]:
    """The response, and its status if it is within the limit."""
    return http.request(method, path, **given), status  # type: ignore[arg-type]

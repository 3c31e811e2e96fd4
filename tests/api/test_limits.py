"""However many ask at once, and at whichever of a limit's addresses, exactly the limit is let through."""

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

from .conftest import House

__all__ = ["in_memory", "on_redis"]

ROOM = "support-user123-1640995200"
ABOUT_IT: Mapping[str, object] = {"json": {"roomName": ROOM}}
ASKED_FOR_IT: Mapping[str, object] = {"params": {"roomName": ROOM}}
OPENING: Mapping[str, object] = {"json": {"model": "gpt-realtime", "voice": "marin"}}
# Every address of each limit, and what its requests become where they are let through.
ASKED: dict[str, list[tuple[str, str, Mapping[str, object], int]]] = {
    "session_creation": [
        ("POST", "/api/voice/session", {"json": {"enableAiAgent": False}}, 200),
        ("POST", "/api/voice/token", {"json": {"spawnAiAgent": False}}, 200),
        ("POST", "/voice-session", {"json": {}}, 200),
    ],
    "realtime": [
        ("POST", "/api/voice/realtime", ABOUT_IT, 404),
        ("POST", "/api/voice/agent", ABOUT_IT, 404),
    ],
    "recording": [
        ("POST", "/api/voice/recording", ABOUT_IT, 400),
        ("PATCH", "/api/voice/recording", {"json": {"roomName": ROOM, "transcript": "Hello."}}, 404),
    ],
    "read": [
        ("GET", "/api/voice/session", {}, 200),
        ("GET", "/api/voice/realtime", ASKED_FOR_IT, 200),
        ("GET", "/api/voice/agent", ASKED_FOR_IT, 200),
        ("GET", "/api/voice/recording", {"params": {"listAll": "true"}}, 200),
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
def wide_door(live_server: LiveServer) -> None:
    """Django's server for tests would keep ten waiting, and turn the rest of a crowd away."""
    live_server.thread.httpd.socket.listen(2 * CROWD)


@pytest.fixture
def call(house: House) -> Call:
    """Rings in a room that LiveKit has closed: it can be asked about, and nothing can be begun in it."""
    return Call.objects.create(
        organization=house.organization,
        owner="user_alice",
        kind=CallKind.ROOM,
        room_name=ROOM,
        call_type=CallType.SUPPORT,
        state=CallState.RINGING,
    )


def test_the_defaults_are_those_of_the_documentation() -> None:
    assert {limit.name: limit.rate.count for limit in LIMITS} == AS_SPECIFIED


@pytest.mark.usefixtures("counted", "call", "wide_door")
@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_of_64_requests_at_once_the_limit_is_let_through(house: House, limit: Limit, settings: Settings) -> None:
    rate = "50/15m" if limit.name == "read" else getattr(settings, limit.setting)
    # A request that is counted by another limit as well, or instead, is seen: by this one alone something is refused.
    raise_limits(settings)
    setattr(settings, limit.setting, rate)
    addresses = itertools.cycle(ASKED[limit.name])
    crowd = [next(addresses) for _ in range(CROWD)]
    with (
        time_machine.travel(NOW, tick=False),
        httpx.Client(
            base_url=house.url,
            headers={"Authorization": f"Bearer {house.key}"},
            timeout=60,
            limits=httpx.Limits(max_connections=CROWD),
            trust_env=False,
            verify=False,
        ) as http,
    ):
        answers = at_once(CROWD, lambda: _ask(http, *crowd.pop()))
    allowed = limit.rate.count
    refused = [answer for answer, _ in answers if answer.status_code == 429]
    let_through = [(answer, status) for answer, status in answers if answer.status_code != 429]
    assert len(let_through) == allowed
    assert Counter(answer.status_code for answer, _ in let_through) == Counter(status for _, status in let_through)
    # Each was told another remainder, down to none: one counter for all the addresses.
    left = sorted(int(answer.headers["X-RateLimit-Remaining"]) for answer, _ in let_through)
    assert left == list(range(allowed))
    assert {(answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"]) for answer in refused} == {
        (str(allowed), "0")
    }
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert not LimitCount.objects.exists()


def _ask(
    http: httpx.Client, method: str, path: str, given: Mapping[str, object], status: int
) -> tuple[httpx.Response, int]:
    """The answer, and the status it has where it was let through."""
    return http.request(method, path, **given), status  # type: ignore[arg-type]

"""docs/reference/routes.md is true: every route stands in its table, and opens to the credential named there alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from agents.organizations.services import issue_key
from agents.tests.builders import make_organization
from voiceapp import routing
from voiceapp.providers.tests.clerk_instance import PAGE, ClerkInstance, trust
from voiceapp.tests.limits import raise_limits

pytestmark = [pytest.mark.slow, pytest.mark.embedded]

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs/reference/routes.md").read_text()
LOGIN = "/admin/login/"
# Answered by middleware, which the resolver does not know.
BEFORE_ALL_VIEWS = ["/", "/health", "/health/ready", "/static/voiceapp/admin.css"]


@dataclass(frozen=True, slots=True)
class Row:
    methods: tuple[str, ...]
    route: str
    credential: str

    def covers(self, route: str) -> bool:
        return route.startswith(self.route[:-1]) if self.route.endswith("*") else route == self.route


ROWS = [
    Row(tuple(methods.split()), route, credential)
    for methods, route, credential in re.findall(r"^\| ([A-Z ]+) \| `([^`]+)` \| (.+?) \|$", DOCUMENT, re.M)
]
EXPLAINED = set(re.findall(r"^\| ([^|]+?) \| [^|]+ \| [^|]+ \|$", DOCUMENT.partition("## What each")[2], re.M))


def walk(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    for pattern in patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, address)
        else:
            yield address


def row_of(route: str, rows: list[Row]) -> Row | None:
    """The row of its own, else the longest that covers it."""
    fitting = [row for row in rows if row.covers(route)]
    return max(fitting, key=lambda row: (not row.route.endswith("*"), len(row.route)), default=None)


HTTP_ROWS = [row for row in ROWS if row.methods != ("WS",)]
ROUTES = [*walk(get_resolver().url_patterns), *BEFORE_ALL_VIEWS]
SOCKET_ROUTER: Any = routing.sockets
SOCKETS = [f"/{route.pattern}" if str(route.pattern) else "/*" for route in SOCKET_ROUTER.routes]


def example(route: str) -> str:
    """An address of the route: something for each of its variables."""
    if route.endswith("/feed"):  # the test's own server streams nothing
        return re.sub(r"<\w+:\w+>", "00000000-0000-4000-8000-000000000001", route) + "?poll=1"
    filled = re.sub(r"<(?:\w+:)?\w+>", "1", re.sub(r"\^?\(\?P<\w+>(\w+)[^)]*\)", r"\1", route))
    return re.sub(r"\(\?P<\w+>[^)]*\)", "anything", filled).replace("^", "").replace("$", "")


# What the table must be


def test_every_route_has_a_row() -> None:
    assert [route for route in ROUTES if row_of(route, HTTP_ROWS) is None] == []
    sockets = {row.route for row in ROWS if row.methods == ("WS",)}
    assert set(SOCKETS) == sockets


def test_every_row_has_a_route() -> None:
    used = {row_of(route, HTTP_ROWS) for route in ROUTES}
    assert [row.route for row in HTTP_ROWS if row not in used] == []


def test_an_undocumented_route_is_noticed() -> None:
    assert row_of("/api/voice/undocumented", HTTP_ROWS) is None
    assert row_of("/twiml/start/more", HTTP_ROWS) is None


def test_the_table_uses_only_credentials_that_are_tested() -> None:
    assert {row.credential for row in HTTP_ROWS} <= set(REFUSED_WITH)
    assert {row.credential for row in ROWS} | set(REFUSED_WITH) <= EXPLAINED


# Who sends requests


class Visitor:
    """Somebody with one kind of credential, in a client that checks for forged requests as a browser's would."""

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        self.headers = dict(headers or {})

    def send(self, method: str, path: str) -> HttpResponse:
        is_form = path.startswith(("/twi", "/admin"))
        # No endpoint knows the field: an accepted principal gets 400, and no request goes to a provider.
        json = ('{"noSuchField": 1}', "application/json")
        body, content_type = ("a=b", "application/x-www-form-urlencoded") if is_form else json
        return self.client.generic(method, path, body, content_type, headers=self.headers)  # type: ignore[return-value]


@pytest.fixture
def visitors(db: None, settings: Settings) -> dict[str, Visitor]:
    raise_limits(settings)  # who may, not how often
    clerk = ClerkInstance()
    trust(clerk, settings)
    settings.INTERNAL_API_KEY = "i" * 40
    settings.TWILIO_AUTH_TOKEN, settings.TWILIO_ACCOUNT_SID = "t" * 32, "AC" + "0" * 32
    settings.LIVEKIT_INTERNAL_URL, settings.LIVEKIT_API_KEY = "http://127.0.0.1:1", "APItest"
    settings.LIVEKIT_API_SECRET = "s" * 32
    settings.VAPI_SERVER_SECRET = "v" * 32
    key = issue_key(make_organization("Harbour"), name="website").text
    session = Visitor()
    session.client.force_login(User.objects.create_superuser("root"))
    cookie = Visitor({"Origin": PAGE})
    cookie.client.cookies["__session"] = clerk.token()
    return {
        "nobody": Visitor(),
        "API key": Visitor({"Authorization": f"Bearer {key}"}),
        "X-API-Key": Visitor({"X-API-Key": key}),
        "Clerk": Visitor({"Authorization": f"Bearer {clerk.token()}"}),
        "Clerk's cookie": cookie,
        "internal key": Visitor({"Authorization": "Bearer " + "i" * 40}),
        "internal key as X-API-Key": Visitor({"X-API-Key": "i" * 40}),
        "session": session,
        "forged Twilio": Visitor({"X-Twilio-Signature": "A" * 27 + "="}),
        "forged VAPI": Visitor({"X-Vapi-Secret": "w" * 32}),
        "bare token": Visitor({"Authorization": clerk.token()}),
        "two credentials": Visitor({"Authorization": f"Bearer {key}", "X-API-Key": key}),
    }


def never(_: str, __: str) -> int:
    return 0


def unless(*welcome: str, status: int) -> Callable[[str, str], int]:
    return lambda visitor, method: 0 if visitor in welcome else status


def customer(visitor: str, method: str) -> int:
    if visitor == "two credentials":
        return 400
    if visitor == "session" and method != "GET":
        return 403  # no CSRF token
    return 0 if visitor in {"API key", "X-API-Key", "Clerk", "Clerk's cookie", "session"} else 401


def script(visitor: str, method: str) -> int:
    """Of a signed-in page: no redirect, and no change without a form token, which none of the visitors has."""
    if method != "GET":
        return 403
    return 0 if visitor == "session" else 401


# By the table's credential: the status that refuses a visitor, 0 for one who is let in.
REFUSED_WITH: dict[str, Callable[[str, str], int]] = {
    "anyone": never,
    "Django login": unless("session", status=302),
    "Django login, by script": script,
    "one-time link": unless(status=403),
    "invitation": lambda _visitor, method: 410 if method == "GET" else 403,
    "secret address": unless(status=404),
    "signed address": unless(status=404),
    "customer": customer,
    "internal key": unless("internal key", status=401),
    "Twilio's signature": unless(status=403),
    "LiveKit's signature": unless(status=401),
    "VAPI's secret": unless(status=401),
    "call's secret": unless(status=401),
}


def is_refused(response: HttpResponse) -> bool:
    to_login = response.status_code == 302 and response["Location"].startswith((LOGIN, "/admin/"))
    return response.status_code in (401, 403) or to_login


def surprises(row: Row, routes: list[str], visitors: dict[str, Visitor]) -> list[tuple[str, str, str, int]]:
    """Every response of the routes that is not the one its row's credential stands for."""
    expected = REFUSED_WITH[row.credential]
    found: list[tuple[str, str, str, int]] = []
    for route in routes:
        for method in row.methods:
            for name, visitor in visitors.items():
                status = expected(name, method)
                response = visitor.send(method, example(route))
                is_expected = response.status_code == status if status else not is_shut(response, route)
                if not is_expected or response.status_code >= 500:
                    found.append((method, route, name, response.status_code))
    return found


def is_shut(response: HttpResponse, route: str) -> bool:
    """Refused to one who should get in. An admin page may send on from a row that does not exist, but not to log in."""
    if route.startswith("/admin/"):
        return response.status_code == 302 and response["Location"].startswith(LOGIN)
    return is_refused(response)


@pytest.mark.parametrize("row", HTTP_ROWS, ids=lambda row: row.route)
def test_each_route_opens_to_its_credential_alone(row: Row, visitors: dict[str, Visitor]) -> None:
    routes = [route for route in ROUTES if row_of(route, HTTP_ROWS) == row]
    assert surprises(row, routes, visitors) == []


@pytest.mark.urls("agents.tests.customer_views")
@pytest.mark.parametrize("credential", REFUSED_WITH)
def test_a_wrong_credential_in_the_table_is_noticed(credential: str, visitors: dict[str, Visitor]) -> None:
    row = Row(("GET", "POST"), "/calls", credential)
    assert (surprises(row, ["/calls"], visitors) == []) == (credential == "customer")


MACHINES = [row for row in HTTP_ROWS if row.credential not in ("anyone", "Django login")]


@pytest.mark.parametrize("row", MACHINES, ids=lambda row: row.route)
def test_methods_outside_the_table_open_nothing(row: Row, visitors: dict[str, Visitor]) -> None:
    others = {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(row.methods)
    for name, visitor in visitors.items():
        found = {method: visitor.send(method, example(row.route)).status_code for method in others}
        assert set(found.values()) <= {400, 401, 403, 405}, (name, found)


@pytest.mark.asyncio
@pytest.mark.parametrize("route", SOCKETS)
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"Bearer va_" + b"a" * 10 + b"_" + b"A" * 43)],
        [(b"authorization", b"Bearer " + b"i" * 40)],
        [(b"cookie", b"sessionid=x; __session=a.b.c"), (b"origin", b"https://app.example.com")],
        [(b"x-twilio-signature", b"A" * 27 + b"=")],
        [(b"x-twilio-signature", b"\xff")],
    ],
)
async def test_no_socket_is_accepted_without_its_handshake(route: str, headers: list[tuple[bytes, bytes]]) -> None:
    sent: list[str] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(str(message["type"]))

    path = example(route).replace("*", "anything")
    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": headers, "client": None}
    await SOCKET_ROUTER(scope, receive, send)
    assert sent == ["websocket.close"]

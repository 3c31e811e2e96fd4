"""Who may open a websocket of the call page: by its own origin and session, or a visitor's token."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from pytest_django import Settings

from agents.call_page.models import CallAccess
from agents.organizations.models import Organization
from voiceapp.core.api.errors import ApiError

from ..access import accepted_protocol, caller_of_socket, is_own_origin
from ..visitor_tokens import VisitorToken
from .conftest import open_to
from .test_call_page import member_of

pytestmark = pytest.mark.django_db

HOST = "voice.example.com"


@pytest.fixture(autouse=True)
def reached_at(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = [HOST]


def scope(
    *, origin: str = f"https://{HOST}", cookie: str = "", protocols: tuple[str, ...] = (), scheme: str = "wss",
    host: str = HOST, proxy_says: str = "",
) -> dict[str, Any]:  # fmt: skip
    headers = {"host": host, "origin": origin, "cookie": cookie, "x-forwarded-proto": proxy_says}
    return {
        "scheme": scheme,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items() if value],
        "subprotocols": protocols,
    }


def session_of(*organizations: Organization, role: str = "owner", name: str = "alice") -> str:
    client = member_of(*organizations, role=role, name=name)
    return f"other=1; {settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def token(organization: Organization) -> tuple[str, ...]:
    return ("voiceapp", f"visitor.{VisitorToken.issue(organization.pk)[0]}")


def test_staff_by_their_session(harbour: Organization, meadow: Organization) -> None:
    caller = caller_of_socket(scope(cookie=session_of(harbour)), harbour.slug)
    assert caller.organization == harbour
    assert not caller.is_visitor
    with pytest.raises(ApiError, match="for you"):
        caller_of_socket(scope(cookie=session_of(meadow, name="charlie")), harbour.slug)
    with pytest.raises(ApiError, match="role"):
        caller_of_socket(scope(cookie=session_of(harbour, role="viewer", name="bob")), harbour.slug)
    for cookie in ("", f"{settings.SESSION_COOKIE_NAME}=forged", "=;;\x00"):
        with pytest.raises(ApiError, match="signed out"):
            caller_of_socket(scope(cookie=cookie), harbour.slug)


def test_visitors_by_a_token_among_the_subprotocols(harbour: Organization, meadow: Organization) -> None:
    open_to(harbour, CallAccess.LINK)
    offered = scope(protocols=token(harbour))
    caller = caller_of_socket(offered, harbour.slug)
    assert caller.is_visitor
    assert accepted_protocol(offered) == "voiceapp"
    assert accepted_protocol(scope()) is None
    with pytest.raises(ApiError):
        caller_of_socket(offered, meadow.slug)
    with pytest.raises(ApiError, match="staff"):
        caller_of_socket(scope(protocols=token(meadow)), meadow.slug)


def test_scripts_of_named_websites_open_it_with_a_token_alone(harbour: Organization) -> None:
    named = "https://www.example.com"
    open_to(harbour, CallAccess.SITES, named)
    assert caller_of_socket(scope(origin=named, protocols=token(harbour)), harbour.slug).is_visitor
    by_session = scope(origin=named, cookie=session_of(harbour))
    elsewhere = scope(origin=f"{named}:8443", protocols=token(harbour))
    for other in (by_session, elsewhere):
        with pytest.raises(ApiError, match="our own pages"):
            caller_of_socket(other, harbour.slug)


@pytest.mark.parametrize(
    "origin",
    [
        "", "https://evil.example", f"https://{HOST}.evil.example", "null", f"https://{HOST}:444", f"http://{HOST}",
        f"http://{HOST}:443", f"wss://{HOST}", f"https://{HOST}@evil.example", f"https://evil.example\\@{HOST}",
    ],
)  # fmt: skip
def test_pages_of_another_origin_are_refused(harbour: Organization, origin: str) -> None:
    with pytest.raises(ApiError, match="our own pages"):
        caller_of_socket(scope(origin=origin, cookie=session_of(harbour)), harbour.slug)


@pytest.mark.parametrize(
    ("scheme", "host", "origin"),
    [
        ("ws", HOST, f"http://{HOST}"),
        ("wss", HOST, f"https://{HOST}"),
        ("wss", f"{HOST}:443", f"https://{HOST}"),
        ("ws", f"{HOST}:8080", f"http://{HOST}:8080"),
        ("ws", "VOICE.example.com", f"http://{HOST}"),
    ],
)
def test_a_page_is_ours_by_scheme_host_and_port(scheme: str, host: str, origin: str) -> None:
    assert is_own_origin(scope(scheme=scheme, host=host, origin=origin))
    other_scheme = origin.replace("https:", "x:").replace("http:", "https:").replace("x:", "http:")
    for other in (other_scheme, f"{origin.partition(HOST)[0]}{HOST}:8443"):
        assert not is_own_origin(scope(scheme=scheme, host=host, origin=other)), other


def test_behind_a_proxy_that_ends_tls_its_word_counts(settings: Settings) -> None:
    secure, plain = f"https://{HOST}", f"http://{HOST}"
    assert not is_own_origin(scope(scheme="ws", origin=secure, proxy_says="https")), "no proxy of ours has said it"
    settings.TRUSTED_PROXY_COUNT = 1
    assert is_own_origin(scope(scheme="ws", origin=secure, proxy_says="https"))
    assert is_own_origin(scope(scheme="ws", origin=secure, proxy_says="https, http"))
    assert not is_own_origin(scope(scheme="ws", origin=plain, proxy_says="https"))
    assert is_own_origin(scope(scheme="ws", origin=plain)), "a proxy that says nothing"


def test_the_public_address_is_ours_whatever_a_proxy_says(settings: Settings) -> None:
    settings.PUBLIC_BASE_URL = f"https://{HOST}"
    assert is_own_origin(scope(scheme="ws", host="10.0.0.7:8080", origin=f"https://{HOST}"))
    assert not is_own_origin(scope(scheme="ws", host="10.0.0.7:8080", origin=f"http://{HOST}"))


def test_a_name_that_somebody_else_lets_lead_here_is_not_ours() -> None:
    assert not is_own_origin(scope(scheme="ws", host="evil.example", origin="http://evil.example"))

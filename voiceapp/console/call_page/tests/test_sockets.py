"""Who may open a websocket of the call page: by its own origin and session, or a visitor's token."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from agents.call_page.models import CallAccess
from agents.organizations.models import Organization
from voiceapp.core.api.errors import ApiError

from ..access import accepted_protocol, caller_of_socket
from ..visitor_tokens import VisitorToken
from .conftest import open_to
from .test_call_page import member_of

pytestmark = pytest.mark.django_db

HOST = "voice.example.com"


def scope(*, origin: str = f"https://{HOST}", cookie: str = "", protocols: tuple[str, ...] = ()) -> dict[str, Any]:
    headers = {"host": HOST, "origin": origin, "cookie": cookie}
    return {
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
    "origin", ["", "https://evil.example", f"https://{HOST}.evil.example", "null", f"https://{HOST}:444"]
)
def test_pages_of_another_origin_are_refused(harbour: Organization, origin: str) -> None:
    with pytest.raises(ApiError, match="our own pages"):
        caller_of_socket(scope(origin=origin, cookie=session_of(harbour)), harbour.slug)

"""Every operation of the API, requested by every role, is open or closed as agents/organizations/roles.py says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from agents.organizations.api import CustomerView
from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.organizations.scopes import Scope
from agents.organizations.services import issue_key
from agents.tests.builders import make_organization, make_user
from agents.tests.people import token_of
from voiceapp.providers.tests.clerk_instance import ClerkInstance, trust
from voiceapp.tests.limits import raise_limits
from voiceapp.tests.schema_paths import ORGANIZATION

pytestmark = pytest.mark.django_db
METHODS = ("get", "post", "patch", "delete")


def customer_views(
    patterns: list[URLPattern | URLResolver], prefix: str = "/"
) -> Iterator[tuple[str, type[CustomerView]]]:
    for each in patterns:
        path = (prefix + str(each.pattern)).replace("<slug:organization>", ORGANIZATION).replace("<slug:call_id>", "1")
        if isinstance(each, URLResolver):
            yield from customer_views(each.url_patterns, path)
            continue
        view: type = getattr(each.callback, "view_class", object)
        if issubclass(view, CustomerView):
            yield path, view


OPERATIONS = [
    (path, method, Scope(f"{view.scope_area}:{'read' if method == 'get' else 'write'}"))
    for path, view in customer_views(get_resolver().url_patterns)
    for method in METHODS
    if hasattr(view, method) and method in view.http_method_names
]


@pytest.fixture(autouse=True)
def harbour(settings: Settings) -> Organization:
    raise_limits(settings)
    return make_organization("Harbour", clerk_id="org_harbour")


def status_of(client: Client, path: str, method: str, **headers: str) -> int:
    response = getattr(client, method)(path, content_type="application/json", headers=headers)
    return int(response.status_code)


def closed_to(client: Client, **headers: str) -> set[tuple[str, str]]:
    """What is refused as forbidden. The rest succeeds, or fails later at the form of an empty request."""
    statuses = {(path, method): status_of(client, path, method, **headers) for path, method, _ in OPERATIONS}
    assert 401 not in statuses.values(), statuses
    return {operation for operation, status in statuses.items() if status == 403}


def lacking(scopes: set[Scope]) -> set[tuple[str, str]]:
    return {(path, method) for path, method, scope in OPERATIONS if scope not in scopes}


def test_there_is_something_to_walk() -> None:
    assert len(OPERATIONS) >= 15
    # One opens nothing by itself: it shows whole numbers in what another one opens.
    assert {scope for _, _, scope in OPERATIONS} == set(Scope) - {Scope.CALLER_NUMBERS_READ}


@pytest.mark.parametrize("role", Role)
def test_a_member_signed_in_may_what_the_role_grants(role: Role, harbour: Organization) -> None:
    client = Client()
    client.force_login(make_user("bob", harbour, role))
    assert closed_to(client) == lacking({scope for scope in Scope if scope.is_granted_to(role)})


@pytest.mark.parametrize(
    ("clerk_role", "role"),
    [("owner", Role.OWNER), ("admin", Role.MANAGER), ("member", Role.STAFF), ("kitchen", Role.KITCHEN),
     ("viewer", Role.VIEWER), ("org:viewer", Role.VIEWER), ("billing", Role.VIEWER), ("OWNER", Role.VIEWER),
     ("", Role.VIEWER)],
)  # fmt: skip
def test_a_member_at_clerk_may_what_the_role_grants(
    clerk_role: str, role: Role, harbour: Organization, settings: Settings
) -> None:
    clerk = ClerkInstance()
    trust(clerk, settings)
    token = token_of(clerk, "user_bob", harbour, role=clerk_role)
    refused = closed_to(Client(), Authorization=f"Bearer {token}")
    assert refused == lacking({scope for scope in Scope if scope.is_granted_to(role)})


@pytest.mark.parametrize("claims", [{"id": "org_harbour"}, {"id": "org_harbour", "rol": None}])
def test_a_token_without_a_role_reads(claims: dict[str, object], settings: Settings) -> None:
    clerk = ClerkInstance()
    trust(clerk, settings)
    refused = closed_to(Client(), Authorization=f"Bearer {clerk.token('user_bob', o=claims)}")
    assert refused == lacking({Scope.CALLS_READ, Scope.RECORDINGS_READ})


def test_a_user_without_a_membership_may_nothing() -> None:
    client = Client()
    client.force_login(User.objects.create_user("dora", is_staff=True))
    assert closed_to(client) == lacking(set())


def test_a_person_without_an_organization_acts_for_itself(settings: Settings) -> None:
    clerk = ClerkInstance()
    trust(clerk, settings)
    assert closed_to(Client(), Authorization=f"Bearer {clerk.token('user_alice')}") == set()


@pytest.mark.parametrize("scope", Scope)
def test_a_key_may_what_its_scopes_grant(scope: Scope, harbour: Organization) -> None:
    text = issue_key(harbour, name="website", scopes=[scope]).text
    assert closed_to(Client(), Authorization=f"Bearer {text}") == lacking({scope})


def test_a_role_in_one_organization_is_none_in_another(harbour: Organization) -> None:
    """Bob reads Harbour's calls, but the kitchen of Meadow shows him none of Meadow's."""
    bob = make_user("bob", harbour, Role.VIEWER)
    meadow = make_organization("Meadow")
    bob.memberships.create(organization=meadow, role=Role.KITCHEN)
    meadow.calls.create(kind="room", room_name="meadow-room", call_type="conference", owner="user_charlie")
    harbour.calls.create(kind="room", room_name="harbour-room", call_type="conference", owner="user_alice")
    client = Client()
    client.force_login(bob)
    found = {name: client.get("/api/voice/session", {"roomName": name}).status_code
             for name in ("harbour-room", "meadow-room")}  # fmt: skip
    assert found == {"harbour-room": 200, "meadow-room": 404}
    bob.memberships.filter(organization=meadow).update(role=Role.VIEWER)
    assert client.get("/api/voice/session", {"roomName": "meadow-room"}).status_code == 200

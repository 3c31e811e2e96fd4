"""Which credential authenticates as which principal; anything else is rejected without a server error."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from pytest_django import DjangoAssertNumQueries, Settings

from agents.organizations.authentication import CustomerAuthentication
from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.organizations.services import issue_key, user_of
from agents.tests.builders import make_user
from voiceapp.providers.tests.clerk_instance import ClerkInstance

pytestmark = [pytest.mark.urls("agents.tests.customer_views"), pytest.mark.django_db]
INTERNAL_KEY = "internal-" + "k" * 40


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def member_of(
    clerk: ClerkInstance, organization: Organization, role: str = "admin", subject: str = "user_alice"
) -> str:
    return clerk.token(subject, o={"id": organization.clerk_id, "rol": role})


@pytest.fixture
def key(harbour: Organization) -> str:
    return issue_key(harbour, name="website").text


# Without credentials


def test_without_credentials_each_api_answers_its_own_401(client: Client) -> None:
    assert client.get("/calls").json() == {"error": "Unauthorized"}
    refusal = client.post("/realtime", {}, content_type="application/json")
    assert refusal.status_code == 401
    assert refusal.json() == {
        "error_code": "unauthorized",
        "message": "Authentication credentials were not provided.",
    }
    assert refusal["WWW-Authenticate"] == "Bearer"


NOTHING = [
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": "Bearer null"},
    {"Authorization": "Bearer é"},
    {"Authorization": "Bearer \x00"},
    {"Authorization": "Bearer a.b.c"},
    {"Authorization": "Bearer " + "." * 5000},
    {"Authorization": f"Bearer {'va_' + 'a' * 10 + '_' + 'A' * 43}"},
    {"Authorization": "Bearer va_"},
    {"Authorization": "Bearer va_\x00"},
    {"Authorization": f"Bearer {INTERNAL_KEY}"},
    {"Authorization": "Basic YWxpY2U6c2VjcmV0"},
    {"Authorization": "Token va_aaaaaaaaaa_" + "A" * 43},
    {"X-API-Key": "é" * 20},
    {"X-API-Key": "\x00"},
    {"X-API-Key": "va_aaaaaaaaaa_" + "A" * 42 + "é"},
    {"X-API-Key": "va_aaaaaaaaaa_" + "A" * 43},
    {"X-API-Key": INTERNAL_KEY},
    {"Cookie": "__session="},
    {"Cookie": "__session=a.b.c"},
    {"Cookie": "__session=é.é.é"},
    {"Cookie": "__session_;__session_x=x"},
    {"Cookie": "sessionid=nonsense"},
    {"Cookie": "sessionid=\x00"},
]


@pytest.mark.parametrize("headers", NOTHING, ids=str)
def test_what_proves_nothing_is_401_and_never_500(
    clerk: ClerkInstance, client: Client, settings: Settings, headers: dict[str, str]
) -> None:
    settings.INTERNAL_API_KEY = INTERNAL_KEY
    # As servers hand headers over: bytes read as latin-1.
    sent: dict[str, Any] = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    for response in (client.get("/calls", **sent), client.post("/calls", b"\xff", "application/json", **sent)):
        assert (response.status_code, response.json()) == (401, {"error": "Unauthorized"})


def test_without_an_issuer_no_token_is_taken(client: Client, clerk: ClerkInstance, settings: Settings) -> None:
    token = clerk.token()
    settings.CLERK_ISSUER = ""
    assert client.get("/calls", headers=bearer(token)).status_code == 401
    client.cookies["__session"] = token
    assert client.get("/calls").status_code == 401


# Clerk


def test_a_member_acts_for_the_organization_of_the_token(
    client: Client, clerk: ClerkInstance, harbour: Organization
) -> None:
    found = client.get("/calls", headers=bearer(member_of(clerk, harbour))).json()
    place = str(harbour.pk)
    assert found == {
        "subject": "user_alice", "kind": "clerk", "organization": place, "sees": [place], "role": "manager",
        "tenant": place,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("clerk_role", "role"),
    [("admin", "manager"), ("member", "staff"), ("owner", "owner"), ("x", "viewer"), ("", "viewer")],
)
def test_clerks_roles_are_ours(
    client: Client, clerk: ClerkInstance, harbour: Organization, clerk_role: str, role: str
) -> None:
    token = member_of(clerk, harbour, clerk_role)
    assert client.get("/calls", headers=bearer(token)).json()["role"] == role


def test_the_first_version_of_tokens_is_as_good(client: Client, clerk: ClerkInstance, harbour: Organization) -> None:
    token = clerk.token(v=None, org_id="org_harbour", org_role="org:member", org_slug="harbour")
    found = client.get("/calls", headers=bearer(token)).json()
    assert (found["organization"], found["role"]) == (str(harbour.pk), "staff")


def test_without_an_organization_one_is_ones_own_tenant(
    client: Client, clerk: ClerkInstance, harbour: Organization
) -> None:
    found = client.get("/calls", headers=bearer(clerk.token())).json()
    assert (found["organization"], found["sees"], found["tenant"]) == (None, [], "user_alice")


def test_an_unknown_organization_is_403_and_creates_no_user(
    client: Client, clerk: ClerkInstance, harbour: Organization
) -> None:
    response = client.get("/calls", headers=bearer(clerk.token(o={"id": "org_charlie", "rol": "admin"})))
    assert response.status_code == 403
    assert response.json() == {"error": "Forbidden", "message": "Your organization is not known here.", "details": {}}
    assert not User.objects.exists()


def test_charlie_never_acts_for_alices_organization(
    client: Client, clerk: ClerkInstance, harbour: Organization, meadow: Organization
) -> None:
    token = member_of(clerk, meadow, subject="user_charlie")
    key = issue_key(meadow, name="charlie's").text
    charlie = make_user("charlie", meadow)
    for headers in (bearer(token), bearer(key), {"X-API-Key": key}):
        assert client.get("/calls", headers=headers).json()["sees"] == [str(meadow.pk)]
    client.force_login(charlie)
    assert client.get("/calls").json()["sees"] == [str(meadow.pk)]


def test_the_first_token_makes_a_user_without_a_password(client: Client, clerk: ClerkInstance) -> None:
    for _ in range(2):
        client.get("/calls", headers=bearer(clerk.token()))
    user = User.objects.get()
    assert (user.username, user.has_usable_password(), user.is_staff) == ("user_alice", False, False)


def test_a_blocked_user_is_refused(client: Client, clerk: ClerkInstance) -> None:
    client.get("/calls", headers=bearer(clerk.token()))
    User.objects.update(is_active=False)
    assert client.get("/calls", headers=bearer(clerk.token())).status_code == 401


def test_a_subject_that_reads_like_a_key_is_refused(client: Client, clerk: ClerkInstance) -> None:
    assert client.get("/calls", headers=bearer(clerk.token("key_abcdefghij"))).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_many_first_requests_make_one_user() -> None:
    def make(_: int) -> int:
        try:
            return user_of("user_alice").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(make, range(32)))) == 1
    assert User.objects.count() == 1


def test_clerk_away_is_503_and_says_when_to_come_back(client: Client, clerk: ClerkInstance, settings: Settings) -> None:
    settings.CLERK_ISSUER = clerk.issuer = "http://127.0.0.1:1"
    settings.CLERK_JWT_KEY = ""
    response = client.get("/calls", headers=bearer(clerk.token()))
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert response.json()["error"] == "Service Unavailable"
    client.cookies["__session"] = clerk.token()
    refusal = client.post("/realtime", {}, content_type="application/json")
    assert (refusal.status_code, refusal.json()["error_code"]) == (503, "unavailable")


def test_a_known_person_costs_two_queries(
    client: Client, clerk: ClerkInstance, harbour: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    headers = bearer(member_of(clerk, harbour))
    client.get("/calls", headers=headers)
    with django_assert_num_queries(2):
        client.get("/calls", headers=headers)


# Keys and sessions


def test_a_key_opens_by_both_headers(client: Client, key: str, harbour: Organization) -> None:
    answers = [client.get("/calls", headers=headers).json() for headers in (bearer(key), {"X-API-Key": key})]
    assert answers[0] == answers[1]
    assert answers[0]["subject"] == f"key_{key.split('_')[1]}"
    assert (answers[0]["organization"], answers[0]["role"]) == (str(harbour.pk), "manager")


def test_a_token_is_no_api_key(client: Client, clerk: ClerkInstance) -> None:
    assert client.get("/calls", headers={"X-API-Key": clerk.token()}).status_code == 401


def test_a_signed_in_user_acts_for_its_organization(client: Client, harbour: Organization) -> None:
    bob = make_user("bob", harbour, Role.STAFF)
    client.force_login(bob)
    found = client.get("/calls").json()
    assert (found["subject"], found["organization"], found["role"]) == (str(bob.pk), str(harbour.pk), "staff")


def test_a_user_of_two_organizations_acts_for_the_first_and_sees_both(
    client: Client, harbour: Organization, meadow: Organization
) -> None:
    alice = make_user("alice", meadow)
    alice.memberships.create(organization=harbour, role=Role.VIEWER)
    client.force_login(alice)
    found = client.get("/calls").json()
    assert found["organization"] == str(meadow.pk)
    assert found["sees"] == sorted([str(meadow.pk), str(harbour.pk)])


# Several credentials


def test_two_credentials_in_headers_are_400(client: Client, clerk: ClerkInstance, key: str) -> None:
    for headers in (
        bearer(clerk.token()) | {"X-API-Key": key},
        bearer(key) | {"X-API-Key": key},
        bearer("nonsense") | {"X-API-Key": "nonsense"},
        {"Authorization": "Basic YTpi", "X-API-Key": key},
        bearer(f"{key},Bearer {key}"),
        {"X-API-Key": f"{key},{key}"},
    ):
        response = client.get("/calls", headers=headers)
        assert (response.status_code, response.json()["error"]) == (400, "Bad Request"), headers
        refusal = client.post("/realtime", {}, content_type="application/json", headers=headers)
        assert (refusal.status_code, refusal.json()["error_code"]) == (400, "invalid_request")


def test_a_header_beats_cookies(client: Client, clerk: ClerkInstance, key: str, harbour: Organization) -> None:
    client.force_login(make_user("bob", harbour))
    client.cookies["__session"] = clerk.token("user_charlie")
    assert client.get("/calls", headers=bearer(key)).json()["kind"] == "key"
    assert client.get("/calls", headers=bearer(clerk.token())).json()["subject"] == "user_alice"
    assert client.get("/calls", headers=bearer("nonsense")).status_code == 401


def test_a_header_needs_neither_origin_nor_csrf_token(
    visitor: Client, clerk: ClerkInstance, key: str, harbour: Organization
) -> None:
    visitor.force_login(make_user("bob", harbour))
    for credential in (key, clerk.token()):
        headers = bearer(credential) | {"Origin": "https://evil.example"}
        assert visitor.post("/calls", {}, content_type="application/json", headers=headers).status_code == 200


def test_the_schema_names_every_credential() -> None:
    extension: Any = OpenApiAuthenticationExtension.get_match(CustomerAuthentication())
    assert extension is not None
    definitions = extension.get_security_definition(None)
    assert len(definitions) == len(extension.name)
    assert {each.get("name") for each in definitions} == {None, "X-API-Key", "__session", "sessionid"}

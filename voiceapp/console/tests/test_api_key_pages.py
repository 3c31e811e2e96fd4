"""Owners and managers make, rotate and revoke keys; a secret is shown once, to the user who made the key."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from agents.organizations.models import ApiKey, Organization
from agents.organizations.scopes import Scope
from agents.organizations.services import IssuedKey, find_key, issue_key, revoke_key

from .world import World

ADD = "/admin/agents/apikey/add/"
SHOWN = re.compile(r"va_[a-z0-9]{10}_[A-Za-z0-9_-]{43}")


def press(client: Client, key: ApiKey, button: str) -> str:
    address = reverse("admin:agents_apikey_press", args=(key.pk, button))
    return client.post(address, follow=True).content.decode()


def shown_key(page: str) -> str:
    found = SHOWN.search(page)
    assert found is not None
    return found.group()


@pytest.fixture
def issued(harbour: World) -> IssuedKey:
    return issue_key(harbour.organization, name="website", scopes=[Scope.CALLS_READ])


def test_a_new_key_is_shown_once_and_works(client_of_alice: Client, harbour: World) -> None:
    values = {"name": "till", "scopes": ["calls:read", "calls:write"], "expires_at_0": "", "expires_at_1": ""}
    text = shown_key(client_of_alice.post(ADD, values, follow=True).content.decode())
    key = find_key(text)
    assert key is not None
    assert (key.name, key.organization, key.created_by) == ("till", harbour.organization, "alice")
    assert key.scopes == ["calls:read", "calls:write"]
    secret = text.split("_", 2)[2]
    for address in ("/admin/", "/admin/agents/apikey/", f"/admin/agents/apikey/{key.pk}/change/",
                    f"/admin/agents/apikey/{key.pk}/history/"):  # fmt: skip
        assert secret not in client_of_alice.get(address).content.decode()
    assert not any(secret in entry.change_message + entry.object_repr for entry in LogEntry.objects.all())


@pytest.mark.parametrize(
    "values",
    [
        {"scopes": []},
        {"scopes": ["calls:everything"]},
        {"name": ""},
        {"expires_at_0": "2020-01-01", "expires_at_1": "12:00"},
    ],
)
def test_what_makes_no_sense_is_said_on_the_form(client_of_alice: Client, values: dict[str, object]) -> None:
    before = ApiKey.objects.count()
    good = {"name": "till", "scopes": ["calls:read"], "expires_at_0": "", "expires_at_1": ""}
    assert client_of_alice.post(ADD, good | values).status_code == 200
    assert ApiKey.objects.count() == before


def test_a_posted_organization_is_ignored(client_of_alice: Client, harbour: World, meadow: World) -> None:
    values = {"organization": str(meadow.organization.pk), "name": "till", "scopes": ["calls:read"]}
    client_of_alice.post(ADD, values, follow=True)
    assert ApiKey.objects.get(name="till").organization == harbour.organization


def test_only_the_name_can_be_changed(client_of_alice: Client, issued: IssuedKey) -> None:
    address = f"/admin/agents/apikey/{issued.key.pk}/change/"
    before = ApiKey.objects.values().get(pk=issued.key.pk)
    sent = {"name": "shop", "scopes": list(Scope), "expires_at_0": "2999-01-01", "expires_at_1": "00:00",
            "prefix": "aaaaaaaaaa", "secret_sha256": "0" * 64, "revoked_at": ""}  # fmt: skip
    assert client_of_alice.post(address, sent).status_code == 302
    assert ApiKey.objects.values().get(pk=issued.key.pk) == before | {"name": "shop"}


def test_rotating_shows_the_successor_and_spares_the_old_key(client_of_alice: Client, issued: IssuedKey) -> None:
    text = shown_key(press(client_of_alice, issued.key, "rotate"))
    successor = find_key(text)
    assert successor is not None
    assert find_key(issued.text) is not None
    issued.key.refresh_from_db()
    assert issued.key.replaced_by == successor
    assert not SHOWN.search(press(client_of_alice, issued.key, "rotate"))
    assert not any(text in entry.change_message for entry in LogEntry.objects.all())


def test_revoking_works_at_once(client_of_alice: Client, issued: IssuedKey) -> None:
    assert "website is revoked" in press(client_of_alice, issued.key, "revoke")
    assert find_key(issued.text) is None
    assert "no longer possible" in press(client_of_alice, issued.key, "revoke")


@pytest.mark.parametrize("role", ["staff", "kitchen", "viewer"])
def test_other_members_neither_see_nor_change_keys(harbour: World, issued: IssuedKey, role: str) -> None:
    client = Client()
    client.force_login(harbour.member(role))
    assert client.get(ADD).status_code == 403
    for button in ("rotate", "revoke"):
        assert client.post(reverse("admin:agents_apikey_press", args=(issued.key.pk, button))).status_code in (403, 404)
    assert find_key(issued.text) is not None


def test_charlie_presses_nothing(issued: IssuedKey, meadow: World) -> None:
    client = Client()
    client.force_login(User.objects.get(username="charlie-meadow"))
    for button in ("rotate", "revoke"):
        assert client.post(reverse("admin:agents_apikey_press", args=(issued.key.pk, button))).status_code == 404
    assert find_key(issued.text) is not None


def test_no_key_is_deleted(client_of_alice: Client, issued: IssuedKey) -> None:
    address = f"/admin/agents/apikey/{issued.key.pk}/delete/"
    assert client_of_alice.post(address, {"post": "yes"}).status_code == 403
    assert ApiKey.objects.filter(pk=issued.key.pk).exists()


def test_the_list_says_how_each_key_stands(client_of_alice: Client, issued: IssuedKey) -> None:
    press(client_of_alice, issued.key, "rotate")
    revoke_key(ApiKey.objects.get(name="Harbour key"))
    page = client_of_alice.get("/admin/agents/apikey/").content.decode()
    for state in ("Active", "Being replaced", "Revoked"):
        assert state in page


def test_the_clerk_organization_is_the_servers_to_say(client_of_alice: Client, harbour: World) -> None:
    address = reverse("admin:agents_organization_change", args=(harbour.organization.pk,))
    page = client_of_alice.get(address)
    form = page.context["adminform"].form
    assert "clerk_id" not in form.fields
    assert b"Clerk organization ID" in page.content
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    assert "clerk_id" in root.get(address).context["adminform"].form.fields
    assert Organization.objects.filter(clerk_id="").count() == 0


def test_no_user_is_named_like_a_clerk_subject(client_of_alice: Client) -> None:
    page = client_of_alice.post("/admin/agents/membership/add/", {"username": "user_2abc", "role": "staff"})
    assert page.status_code == 200
    assert not User.objects.filter(username="user_2abc").exists()

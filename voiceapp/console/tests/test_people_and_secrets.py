"""Members are added without access to other organizations, and secrets are written, never read."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from agents.organizations.models import Membership

from .world import World

ADD = "/admin/agents/membership/add/"


def test_an_owner_adds_a_member_who_can_sign_in(client_of_alice: Client, harbour: World) -> None:
    page = client_of_alice.post(ADD, {"username": "bob", "role": "staff"}, follow=True).content.decode()
    bob = User.objects.get(username="bob")
    assert (bob.is_staff, bob.is_superuser) == (True, False)
    membership = Membership.objects.get(user=bob)
    assert (membership.organization, membership.role) == (harbour.organization, "staff")
    shown = re.search(r"signs in with the password (\S+)", page)
    assert shown is not None
    assert bob.check_password(shown[1])
    assert shown[1] not in client_of_alice.get("/admin/agents/membership/").content.decode()


def test_a_name_that_is_taken_is_refused_without_touching_its_user(client_of_alice: Client, meadow: World) -> None:
    page = client_of_alice.post(ADD, {"username": "Charlie-Meadow", "role": "staff"})
    assert page.status_code == 200
    assert b"This username is taken" in page.content
    assert Membership.objects.filter(user__username="charlie-meadow").count() == 1


def test_a_manager_makes_no_owner(harbour: World) -> None:
    client = Client()
    client.force_login(harbour.member("manager"))
    assert client.post(ADD, {"username": "eve", "role": "owner"}).status_code == 200
    assert not User.objects.filter(username="eve").exists()
    owner = Membership.objects.create(
        organization=harbour.organization, user=User.objects.create_user("olga"), role="owner"
    )
    address = reverse("admin:agents_membership_change", args=(owner.pk,))
    assert client.post(address, {"role": "viewer"}).status_code == 403
    assert client.post(address.replace("change", "delete"), {"post": "yes"}).status_code == 403
    pressed = reverse("admin:agents_membership_press", args=(owner.pk, "new-password"))
    assert client.post(pressed).status_code == 403


def test_no_member_changes_their_own_role(client_of_alice: Client, alice: User) -> None:
    own = Membership.objects.get(user=alice)
    address = reverse("admin:agents_membership_change", args=(own.pk,))
    assert client_of_alice.post(address, {"role": "viewer"}).status_code == 403


def test_the_password_of_a_member_of_another_organization_cannot_be_reset(
    client_of_alice: Client, harbour: World, meadow: World
) -> None:
    charlie = User.objects.get(username="charlie-meadow")
    shared = Membership.objects.create(organization=harbour.organization, user=charlie, role="staff")
    pressed = reverse("admin:agents_membership_press", args=(shared.pk, "new-password"))
    before = charlie.password
    assert client_of_alice.post(pressed).status_code == 403
    charlie.refresh_from_db()
    assert charlie.password == before


@pytest.mark.parametrize(
    "lookup", ["webhook_endpoints__sealed_secret__startswith", "memberships__user__password__startswith"]
)
def test_a_secret_cannot_be_felt_out_by_filters(lookup: str, client_of_alice: Client) -> None:
    page = client_of_alice.get("/admin/agents/organization/", {lookup: "H"})
    assert page.status_code == 400


def test_only_a_superuser_meets_the_users(client_of_alice: Client) -> None:
    assert client_of_alice.get("/admin/auth/user/").status_code == 403
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    assert root.get("/admin/auth/user/").status_code == 200
    assert root.get(f"/admin/auth/user/{User.objects.get(username='root').pk}/change/").status_code == 200

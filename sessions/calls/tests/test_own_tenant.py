"""A principal without an organization is a tenant of its own: it alone sees the calls that it made."""

from __future__ import annotations

import pytest

from agents.organizations.access import principal_of
from agents.organizations.principal import Kind, Principal
from agents.organizations.roles import Role
from agents.tests.builders import make_organization, make_user
from sessions.calls.models import Call

pytestmark = pytest.mark.django_db
ALICE = Principal("user_alice", kind=Kind.CLERK)


def seen_by(principal: Principal) -> set[str]:
    return set(Call.objects.visible_to(principal).values_list("owner", flat=True))


@pytest.fixture(autouse=True)
def calls() -> None:
    harbour = make_organization("Harbour")
    Call.objects.create(owner="user_alice")
    Call.objects.create(owner="user_charlie")
    Call.objects.create(owner="")
    Call.objects.create(owner="user_alice in Harbour", organization=harbour)
    Call.objects.create(owner="7")


def test_alice_sees_her_own_and_charlie_his() -> None:
    assert seen_by(ALICE) == {"user_alice"}
    assert seen_by(Principal("user_charlie", kind=Kind.CLERK)) == {"user_charlie"}


def test_in_an_organization_one_sees_its_calls_alone() -> None:
    bob = make_user("bob", make_organization("Meadow"))
    alice = make_user("alice", Call.objects.exclude(organization=None).get().organization, Role.VIEWER)
    assert seen_by(principal_of(alice)) == {"user_alice in Harbour"}
    assert seen_by(principal_of(bob)) == set()
    harbour = principal_of(alice).organization_ids
    assert seen_by(Principal("user_alice", harbour, kind=Kind.CLERK)) == {"user_alice in Harbour"}


def test_a_principal_without_a_subject_sees_nothing() -> None:
    assert seen_by(Principal("")) == set()


def test_a_row_that_was_another_tenants_is_not_taken_by_its_owner_text() -> None:
    Call.objects.filter(owner="user_charlie").update(organization=make_organization("Meadow"))
    assert seen_by(Principal("user_charlie", kind=Kind.CLERK)) == set()


def test_who_manages_what() -> None:
    place = make_organization("Meadow")
    roles = {role: principal_of(make_user(role, place, role)) for role in Role}
    assert {role for role, principal in roles.items() if principal.manages(place.pk)} == {Role.OWNER, Role.MANAGER}
    assert not any(principal.manages(None) for principal in roles.values())
    assert Principal("1", sees_all=True).manages(place.pk)
    assert not ALICE.manages(place.pk)


def test_what_is_counted_per_tenant_is_the_organization_or_the_person() -> None:
    place = make_organization("Meadow")
    assert principal_of(make_user("bob", place)).tenant == str(place.pk)
    assert ALICE.tenant == "user_alice"

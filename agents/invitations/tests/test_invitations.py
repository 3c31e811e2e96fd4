"""An invitation joins a person once, within seven days, in a role that the inviter may give."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core import mail
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from agents.invitations.links import make_link
from agents.invitations.mail import invitation_mails
from agents.invitations.models import VALID_FOR, Invitation
from agents.invitations.services import accept, invite, revoke, send_again
from agents.organizations.models import Membership, Organization
from agents.organizations.roles import Role
from agents.tests.builders import make_organization, make_user
from voiceapp.core.errors import ApplicationError
from voiceapp.core.limits.tests.crowd import at_once
from voiceapp.management.doctor.mail import check_mail

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
ADD = "/admin/agents/invitation/add/"
PASSWORD = "four unlikely words together"


@pytest.fixture(autouse=True)
def mail_server(settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://mail.example"


@pytest.fixture
def trattoria(db: None) -> Organization:
    return make_organization("Trattoria")


@pytest.fixture
def alice(trattoria: Organization) -> User:
    return make_user("alice", trattoria, Role.OWNER)


@pytest.fixture
def invitation(trattoria: Organization, alice: User) -> Invitation:
    return invite(trattoria, email="Bob@example.com", role=Role.STAFF, by=alice)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def path_of(invitation: Invitation) -> str:
    return make_link(invitation).removeprefix(django_settings.PUBLIC_BASE_URL)


def text_of(response: HttpResponseBase) -> str:
    return getattr(response, "content", b"").decode()


def withdraw(invitation: Invitation) -> bool:
    revoke(invitation)
    return True


def new_account(**fields: str) -> dict[str, str]:
    return {"first_name": "Bob", "last_name": "Baker", "password": PASSWORD, "password_again": PASSWORD} | fields


def test_the_form_sends_an_email_whose_link_makes_an_account(alice: User, trattoria: Organization) -> None:
    page = signed_in(alice).post(ADD, {"email": "Bob@Example.com", "role": "staff"}, follow=True)
    assert page.status_code == 200
    assert invitation_mails.process_due() == 1
    (sent,) = mail.outbox
    assert (sent.to, "Trattoria" in sent.subject, "Staff" in str(sent.body)) == (["bob@example.com"], True, True)
    link = re.search(r"http\S+", str(sent.body))
    assert link is not None
    address = urlsplit(link[0])
    client = Client()
    path = f"{address.path}?{address.query}"
    assert "Make an account" in text_of(client.get(path))
    response = client.post(path, new_account())
    assert (response.status_code, response["Referrer-Policy"]) == (302, "same-origin")
    bob = User.objects.get(username="bob@example.com")
    assert (bob.get_full_name(), bob.is_staff, bob.check_password(PASSWORD)) == ("Bob Baker", True, True)
    assert Membership.objects.get(user=bob).role == "staff"
    assert client.get("/admin/").status_code == 200
    assert "accepted already" in text_of(Client().get(path))


def test_weak_and_different_passwords_are_refused_and_the_name_stays(invitation: Invitation) -> None:
    weak = Client().post(path_of(invitation), new_account(password="bob", password_again="bob"))
    assert "too short" in text_of(weak)
    assert 'value="Baker"' in text_of(weak)
    assert "not the same password" in text_of(Client().post(path_of(invitation), new_account(password_again="other")))
    assert not User.objects.filter(username__startswith="bob").exists()


def test_a_user_of_another_organization_joins_after_signing_in(invitation: Invitation) -> None:
    charlie = make_user("charlie", make_organization("Meadow"), Role.OWNER)
    client = Client()
    page = text_of(client.get(path_of(invitation)))
    to_login = re.search(r'href="(/admin/login/\?next=[^"]+)"', page)
    assert to_login is not None
    signed = client.post(
        to_login[1].replace("&amp;", "&"), {"username": "charlie", "password": "correct horse battery staple"}
    )
    assert signed["Location"].startswith("/admin/invitation?token=")
    assert "Join Trattoria" in text_of(client.get(signed["Location"]))
    assert client.post(signed["Location"]).status_code == 302
    assert {each.organization.name: each.role for each in Membership.objects.filter(user=charlie)} == {
        "Meadow": "owner", "Trattoria": "staff",
    }  # fmt: skip


def test_a_name_that_exists_is_told_only_to_who_holds_the_link(invitation: Invitation, alice: User) -> None:
    User.objects.create_user("Bob@example.com")
    listed = signed_in(alice).post(ADD, {"email": "bob@example.com", "role": "staff"}, follow=True)
    assert "account" not in text_of(listed).lower().replace("account-", "")
    invitation.refresh_from_db()
    response = Client().post(path_of(invitation), new_account())
    assert "There is an account for this address" in text_of(response)
    assert User.objects.filter(username__iexact="bob@example.com").count() == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda one: f"{path_of(one)}x", "not complete, or it was changed"),
        (lambda one: "/admin/invitation?token=", "not complete, or it was changed"),
        (lambda one: "/admin/invitation?token=%00", "not complete, or it was changed"),
        (lambda one: (path_of(one), withdraw(one))[0], "withdrawn"),
        (lambda one: (path_of(one), send_again(one, by=one.invited_by))[0], "newer e-mail"),
        (lambda one: (path_of(one), Invitation.objects.update(expires_at=timezone.now()))[0], "older than seven days"),
        (lambda one: (path_of(one), accept(one, user=make_user("eve")))[0], "accepted already"),
    ],
    ids=["tampered", "empty", "nul", "withdrawn", "replaced", "expired", "used"],
)
def test_a_link_that_does_not_work_says_what_to_do(change: Any, says: str, invitation: Invitation) -> None:
    path = change(invitation)
    members = Membership.objects.count()
    for response in (Client().get(path), Client().post(path, new_account())):
        assert (response.status_code, says in text_of(response)) == (410, True)
    assert Membership.objects.count() == members


def test_it_is_valid_for_seven_days_from_the_last_email(invitation: Invitation) -> None:
    with time_machine.travel(timezone.now() + VALID_FOR - dt.timedelta(minutes=1), tick=False):
        assert Client().get(path_of(invitation)).status_code == 200
        again = send_again(invitation, by=User.objects.get(username="alice"))
        assert again.pk == invitation.pk
    with time_machine.travel(timezone.now() + 2 * VALID_FOR - dt.timedelta(hours=1), tick=False):
        assert Client().get(path_of(again)).status_code == 200


def test_a_manager_invites_no_owner_and_an_inviter_who_left_lets_nobody_in(
    trattoria: Organization, alice: User
) -> None:
    mia = make_user("mia", trattoria, Role.MANAGER)
    assert signed_in(mia).post(ADD, {"email": "eve@example.com", "role": "owner"}).status_code == 200
    assert not Invitation.objects.exists()
    assert signed_in(mia).post(ADD, {"email": "eve@example.com", "role": "staff"}).status_code == 302
    Membership.objects.filter(user=mia).delete()
    response = Client().post(path_of(Invitation.objects.get()), new_account())
    assert (response.status_code, "may not do so any more" in text_of(response)) == (410, True)
    assert not User.objects.filter(email="eve@example.com").exists()


def test_a_member_does_not_change_the_own_role_by_an_invitation(trattoria: Organization, alice: User) -> None:
    bob = make_user("bob", trattoria, Role.STAFF)
    invitation = invite(trattoria, email="bob@home.example", role=Role.MANAGER, by=alice)
    response = signed_in(bob).post(path_of(invitation))
    assert "You work for Trattoria already" in text_of(response)
    assert Membership.objects.get(user=bob).role == "staff"


def test_staff_neither_see_nor_send_invitations(trattoria: Organization, invitation: Invitation) -> None:
    client = signed_in(make_user("bob", trattoria, Role.STAFF))
    assert client.get("/admin/agents/invitation/").status_code == 403
    pressed = reverse("admin:agents_invitation_press", args=(invitation.pk, "send-again"))
    assert client.post(pressed).status_code in {302, 403, 404}
    assert client.post(ADD, {"email": "x@example.com", "role": "staff"}).status_code == 403
    assert Invitation.objects.count() == 1


def test_invitations_are_limited_by_the_hour(alice: User, settings: Settings) -> None:
    settings.LIMIT_INVITATION = "2/h"
    client = signed_in(alice)
    for number in range(3):
        page = client.post(ADD, {"email": f"bob{number}@example.com", "role": "staff"}, follow=True)
    assert "Too many invitations. Try again in" in text_of(page)
    assert Invitation.objects.count() == 2


def test_without_a_mail_server_its_page_says_why_and_it_is_sent_again_later(
    invitation: Invitation, alice: User, settings: Settings
) -> None:
    settings.EMAIL_URL = ""
    assert invitation_mails.process_due() == 0
    client = signed_in(alice)
    page = reverse("admin:agents_invitation_change", args=(invitation.pk,))
    assert "EMAIL_URL is not set" in text_of(client.get(page))
    assert "invitations were not sent (1)" in check_mail().detail
    settings.EMAIL_URL = "smtp://mail.example"
    client.post(reverse("admin:agents_invitation_press", args=(invitation.pk, "send-again")))
    assert invitation_mails.process_due() == 1
    assert invitation_mails.process_due() == 0


def test_the_link_is_shown_on_a_developers_machine_alone(
    invitation: Invitation, alice: User, settings: Settings
) -> None:
    page = reverse("admin:agents_invitation_change", args=(invitation.pk,))
    settings.ENVIRONMENT = "prod"
    assert "token=" not in text_of(signed_in(alice).get(page))
    settings.ENVIRONMENT = "dev"
    assert "token=" in text_of(signed_in(alice).get(page))


@pytest.mark.django_db(transaction=True)
def test_of_simultaneous_acceptances_one_wins(invitation: Invitation) -> None:
    path = path_of(invitation)
    clients = [signed_in(make_user(f"user{number}")) for number in range(4)]
    statuses = at_once(4, lambda: clients.pop().post(path).status_code)
    assert sorted(statuses) == [302, 410, 410, 410]
    assert Membership.objects.filter(organization=invitation.organization).count() == 2


def test_the_last_owner_stays(trattoria: Organization, alice: User) -> None:
    owner = Membership.objects.get(user=alice)
    root = signed_in(User.objects.create_superuser("root"))
    page = reverse("admin:agents_membership_change", args=(owner.pk,))
    refused = root.post(page, {"organization": str(trattoria.pk), "role": "staff"})
    assert "last owner" in text_of(refused)
    assert root.post(page.replace("change", "delete"), {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": [str(owner.pk)], "post": "yes"}
    root.post("/admin/agents/membership/", selected)
    owner.refresh_from_db()
    assert owner.role == "owner"
    make_user("olga", trattoria, Role.OWNER)
    root.post(page, {"organization": str(trattoria.pk), "role": "staff"})
    owner.refresh_from_db()
    assert owner.role == "staff"


def test_what_a_killed_worker_had_begun_is_sent_by_another(invitation: Invitation) -> None:
    Invitation.objects.update(attempts=1, lease_expires_at=timezone.now() + dt.timedelta(seconds=5))
    assert invitation_mails.process_due() == 0
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=10), tick=False):
        assert invitation_mails.process_due() == 1
    assert len(mail.outbox) == 1


def test_a_withdrawn_invitation_is_not_mailed(invitation: Invitation) -> None:
    revoke(invitation)
    invitation_mails.process_due()
    assert mail.outbox == []
    with pytest.raises(ApplicationError):
        revoke(invitation)

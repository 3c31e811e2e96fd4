"""The second factor: asked for after the password, each code once, recoverable, and reset by an owner."""

from __future__ import annotations

import base64
import datetime as dt
import re
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp
from pytest_django import Settings

from agents.audit_log.models import AuditEntry
from agents.organizations.models import Membership, Organization
from agents.organizations.roles import Role
from agents.organizations.services import issue_key
from agents.organizations.sign_in_links import make_sign_in_link
from agents.tests.builders import make_organization, make_user
from agents.two_factor.models import RecoveryCode, TwoFactor
from voiceapp.console.call_page.access import user_of_socket
from voiceapp.core.limits.tests.crowd import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
PASSWORD = "correct horse battery staple"
CODE_PAGE = "/admin/two-factor/"
NOON = dt.datetime(2030, 5, 1, 12, 0, 5, tzinfo=dt.UTC)


@pytest.fixture
def trattoria(db: None) -> Organization:
    return make_organization("Trattoria")


@pytest.fixture
def alice(trattoria: Organization) -> User:
    return make_user("alice", trattoria, Role.OWNER)


@pytest.fixture
def bob(trattoria: Organization) -> User:
    return make_user("bob", trattoria, Role.STAFF)


def text_of(response: HttpResponseBase) -> str:
    return getattr(response, "content", b"").decode()


def code_of(user: User, *, steps: int = 0) -> str:
    """What the user's app shows now, or some steps of 30 s later."""
    secret = TwoFactor.objects.get(user=user).secret
    return f"{totp(base64.b32decode(secret), drift=steps):06}"


def with_password(user: User) -> Client:
    client = Client()
    client.post("/admin/login/", {"username": user.username, "password": PASSWORD})
    return client


def set_up(user: User) -> list[str]:
    """The recovery codes."""
    client = with_password(user)
    client.get(f"{CODE_PAGE}set-up")
    page = text_of(client.post(f"{CODE_PAGE}set-up", {"code": code_of(user)}))
    codes = re.findall(r"<code>([a-z2-9-]{19})</code>", page)
    assert len(codes) == 10
    return codes


def is_signed_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def logged() -> list[tuple[str, list[Any]]]:
    return [(entry.actor, entry.changes) for entry in AuditEntry.objects.filter(kind="agents.membership")]


def test_it_is_set_up_by_a_qr_code_and_asked_for_at_the_next_sign_in(bob: User) -> None:
    with time_machine.travel(NOON, tick=False):
        client = with_password(bob)
        page = text_of(client.get(f"{CODE_PAGE}set-up"))
        assert "<svg" in page
        assert TwoFactor.objects.get().secret[:4] in page
        assert "not the current code" in text_of(client.post(f"{CODE_PAGE}set-up", {"code": "000000"}))
        set_up(bob)
    secret = TwoFactor.objects.get()
    assert secret.secret not in secret.sealed_secret
    with time_machine.travel(NOON + dt.timedelta(minutes=5), tick=False):
        half = with_password(bob)
        assert not is_signed_in(half)
        to_code = half.get("/admin/login/?next=/admin/live/")
        assert to_code["Location"] == f"{CODE_PAGE}?next=%2Fadmin%2Flive%2F"
        done = half.post(to_code["Location"], {"code": code_of(bob)})
        assert done["Location"] == "/admin/live/"
        assert is_signed_in(half)
    assert logged() == [("bob", [["two_factor", "off", "on"]])]


def test_with_the_password_alone_nothing_opens(bob: User) -> None:
    set_up(bob)
    half = with_password(bob)
    assert half.get("/admin/live/").status_code == 302
    assert half.get("/api/voice/session").status_code == 401
    assert half.post("/voice-session", {}, content_type="application/json").status_code == 401
    cookie = f"sessionid={half.cookies['sessionid'].value}".encode()
    assert not user_of_socket({"headers": [(b"cookie", cookie)]}).is_authenticated
    for elsewhere in ("//evil.example/", "https://evil.example/"):
        location = half.get("/admin/login/", {"next": elsewhere})["Location"]
        assert location.startswith(CODE_PAGE)
    assert half.post(f"{CODE_PAGE}leave").status_code == 302
    assert half.get("/admin/login/").status_code == 200


def test_no_code_works_twice_nor_long_after(bob: User) -> None:
    with time_machine.travel(NOON, tick=False):
        set_up(bob)
    with time_machine.travel(NOON + dt.timedelta(minutes=1), tick=False):
        code, old = code_of(bob), code_of(bob, steps=-2)
        assert with_password(bob).post(CODE_PAGE, {"code": old}).status_code == 200
        assert with_password(bob).post(CODE_PAGE, {"code": f"{code[:3]} {code[3:]}"}).status_code == 302
        again = with_password(bob).post(CODE_PAGE, {"code": code})
        assert (again.status_code, "used already" in text_of(again)) == (200, True)


def test_a_recovery_code_works_once(bob: User) -> None:
    first, second, *_ = set_up(bob)
    assert first.replace("-", "") not in str(list(RecoveryCode.objects.values_list("sha256")))
    assert with_password(bob).post(CODE_PAGE, {"code": first.upper()}).status_code == 302
    assert with_password(bob).post(CODE_PAGE, {"code": first}).status_code == 200
    client = with_password(bob)
    client.post(CODE_PAGE, {"code": second})
    assert "8 recovery codes are left" in text_of(client.get(CODE_PAGE))


@pytest.mark.django_db(transaction=True)
def test_of_simultaneous_requests_with_one_recovery_code_one_gets_in(bob: User) -> None:
    code = set_up(bob)[0]
    halves = [with_password(bob) for _ in range(4)]
    statuses = at_once(4, lambda: halves.pop().post(CODE_PAGE, {"code": code}).status_code)
    assert sorted(statuses) == [200, 200, 200, 302]


def test_guesses_are_throttled_and_the_right_code_waits_too(bob: User, settings: Settings) -> None:
    settings.LIMIT_SECOND_FACTOR = "3/15m"
    code = set_up(bob)[0]
    half = with_password(bob)
    for _ in range(3):
        assert half.post(CODE_PAGE, {"code": "123456"}).status_code == 200
    refused = half.post(CODE_PAGE, {"code": code})
    assert (refused.status_code, "Too many wrong codes. Try again in" in text_of(refused)) == (429, True)


@pytest.mark.parametrize("typed", ["", "١٢٣٤٥٦", "12345", "-00001", "\0" * 6, "x" * 16, "9" * 500])
def test_no_input_is_a_fault(bob: User, typed: str) -> None:
    set_up(bob)
    assert with_password(bob).post(CODE_PAGE, {"code": typed}).status_code == 200


def test_a_secret_that_no_key_opens_leaves_the_recovery_codes(bob: User, alice: User) -> None:
    codes = set_up(bob)
    with_password(alice).get(f"{CODE_PAGE}set-up")
    TwoFactor.objects.update(sealed_secret="sealed with another key")
    half = with_password(bob)
    assert half.post(CODE_PAGE, {"code": "123456"}).status_code == 200
    assert half.post(CODE_PAGE, {"code": codes[0]}).status_code == 302
    assert "<svg" in text_of(with_password(alice).get(f"{CODE_PAGE}set-up"))


def test_an_organization_requires_it_of_some_roles(trattoria: Organization, alice: User, bob: User) -> None:
    kitchen = make_user("tablet", trattoria, Role.KITCHEN)
    tablet = with_password(kitchen)
    open_already = with_password(bob)
    Organization.objects.filter(pk=trattoria.pk).update(two_factor_roles=["staff", "owner"])
    assert open_already.get("/admin/live/").status_code == 302
    assert tablet.get("/admin/orders/board/").status_code in {200, 302}
    assert tablet.get("/admin/").status_code == 200
    to_code = open_already.get("/admin/login/?next=/admin/live/")["Location"]
    to_set_up = open_already.get(to_code)["Location"]
    assert to_set_up.startswith(f"{CODE_PAGE}set-up?next=")
    assert "requires it of your role" in text_of(open_already.get(to_set_up))
    done = open_already.post(to_set_up, {"code": code_of(bob)})
    assert 'href="/admin/live/"' in text_of(done)
    assert open_already.get("/admin/live/").status_code == 200
    key = issue_key(trattoria, name="website")
    assert Client().get("/api/voice/session", headers={"X-API-Key": key.text}).status_code == 200


def test_only_owners_choose_the_roles(trattoria: Organization, alice: User) -> None:
    for role, can in ((Role.OWNER, True), (Role.MANAGER, False)):
        client = with_password(make_user(f"a-{role}", trattoria, role))
        page = text_of(client.get(reverse("admin:agents_organization_change", args=(trattoria.pk,))))
        assert ('name="two_factor_roles"' in page) is can


def test_an_owner_resets_it_and_the_log_says_so(trattoria: Organization, alice: User, bob: User) -> None:
    set_up(bob)
    pressed = reverse("admin:agents_membership_press", args=(Membership.objects.get(user=bob).pk, "reset-two-factor"))
    assert with_password(make_user("mia", trattoria, Role.MANAGER)).post(pressed).status_code == 403
    assert TwoFactor.objects.filter(user=bob).exists()
    owner = with_password(alice)
    owner.post(pressed)
    assert not TwoFactor.objects.filter(user=bob).exists()
    assert is_signed_in(with_password(bob))
    assert logged()[0] == ("alice", [["two_factor", "on", "off"]])


def test_who_works_elsewhere_too_is_reset_on_the_server(bob: User, alice: User) -> None:
    set_up(bob)
    Membership.objects.create(organization=make_organization("Meadow"), user=bob, role="owner")
    place = Membership.objects.get(user=bob, role="staff")
    client = with_password(alice)
    pressed = reverse("admin:agents_membership_press", args=(place.pk, "reset-two-factor"))
    assert "manage.py reset_two_factor bob" in text_of(client.post(pressed, follow=True))
    out = StringIO()
    call_command("reset_two_factor", "bob", stdout=out)
    assert "taken away" in out.getvalue()
    assert not TwoFactor.objects.exists()


def test_it_is_turned_off_with_a_code_only(bob: User) -> None:
    codes = set_up(bob)
    client = with_password(bob)
    client.post(CODE_PAGE, {"code": codes[0]})
    client.post(CODE_PAGE, {"code": "000000", "action": "off"})
    assert TwoFactor.objects.exists()
    renewed = client.post(CODE_PAGE, {"code": codes[1], "action": "codes"})
    fresh = re.findall(r"<code>([a-z2-9-]{19})</code>", text_of(renewed))
    assert (len(fresh), set(fresh) & set(codes)) == (10, set())
    client.post(CODE_PAGE, {"code": fresh[0], "action": "off"})
    assert not TwoFactor.objects.exists()
    assert is_signed_in(client)


def test_a_sign_in_link_needs_no_code_on_a_developers_machine_alone(bob: User, settings: Settings) -> None:
    set_up(bob)
    for environment, opens in (("dev", True), ("prod", False)):
        settings.ENVIRONMENT = environment
        bob.refresh_from_db()
        client = Client()
        client.get(make_sign_in_link(bob).removeprefix(settings.PUBLIC_BASE_URL))
        assert is_signed_in(client) is opens

"""One-time sign-in links: they work once, for ten minutes, and come from a command on the server."""

from __future__ import annotations

import datetime as dt
from io import StringIO
from urllib.parse import urlsplit

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.http import HttpResponseBase
from django.test import Client
from django.utils import timezone
from structlog.testing import capture_logs

from agents.organizations.sign_in_links import VALID_FOR, make_sign_in_link
from voiceapp.core.limits.tests.crowd import at_once

pytestmark = pytest.mark.django_db
NEXT_STEP = "manage.py sign_in_link"


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("admin")


def local(link: str) -> str:
    return link.removeprefix("{0.scheme}://{0.netloc}".format(urlsplit(link)))


def is_signed_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def refused(response: HttpResponseBase) -> bool:
    return response.status_code == 403 and NEXT_STEP in getattr(response, "content", b"").decode()


def test_a_link_signs_in_once(admin: User) -> None:
    link = local(make_sign_in_link(admin))
    first, second = Client(), Client()
    response = first.get(link)
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert (response["Referrer-Policy"], "no-store" in response["Cache-Control"]) == ("no-referrer", True)
    assert is_signed_in(first)
    assert refused(second.get(link))
    assert not is_signed_in(second)


@pytest.mark.django_db(transaction=True)
def test_of_simultaneous_requests_one_is_signed_in(admin: User) -> None:
    link = local(make_sign_in_link(admin))
    statuses = at_once(8, lambda: Client().get(link).status_code)
    assert sorted(statuses) == [302, *[403] * 7]


def test_a_link_works_for_ten_minutes(admin: User) -> None:
    link = local(make_sign_in_link(admin))
    with time_machine.travel(timezone.now() + VALID_FOR + dt.timedelta(seconds=2), tick=False):
        assert refused(Client().get(link))
    with time_machine.travel(timezone.now() + VALID_FOR - dt.timedelta(seconds=5), tick=False):
        assert Client().get(link).status_code == 302


def test_a_sign_in_ends_every_link_made_before(admin: User) -> None:
    links = [local(make_sign_in_link(admin)) for _ in range(2)]
    assert Client().get(links[1]).status_code == 302
    assert refused(Client().get(links[0]))


@pytest.mark.parametrize("token", ["", "x", "eyJ4IjoxfQ:1abcde:x", "\0", "a" * 5000])
def test_a_token_signed_elsewhere_does_not_sign_in(admin: User, token: str) -> None:
    assert refused(Client().get("/admin/sign-in", {"token": token}))
    assert refused(Client().get("/admin/sign-in"))


def test_a_changed_user_or_token_does_not_sign_in(admin: User) -> None:
    link = local(make_sign_in_link(admin))
    assert refused(Client().get(link[:-1] + ("A" if link[-1] != "A" else "B")))
    User.objects.filter(pk=admin.pk).update(is_active=False)
    assert refused(Client().get(link))


def test_only_a_get_uses_a_link_up(admin: User) -> None:
    link = local(make_sign_in_link(admin))
    assert {Client().head(link).status_code, Client().post(link).status_code} == {405}
    assert Client().get(link).status_code == 302


def test_no_log_keeps_the_token(admin: User) -> None:
    link = local(make_sign_in_link(admin))
    with capture_logs() as lines:
        Client().get(link)
        Client().get(link)
    logged = str(lines)
    assert "/admin/sign-in" in logged
    assert link.partition("token=")[2][:20] not in logged


def test_the_command_prints_a_link(admin: User) -> None:
    printed = StringIO()
    call_command("sign_in_link", "admin", stdout=printed)
    assert Client().get(local(printed.getvalue().strip())).status_code == 302


def test_the_command_says_how_to_create_a_missing_user() -> None:
    with pytest.raises(CommandError, match="createsuperuser --username nobody"):
        call_command("sign_in_link", "nobody")

"""What each role sees first after a sign-in."""

from __future__ import annotations

import pytest
from django.test import Client

from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.organizations.trades import Trade
from agents.tests.builders import make_organization, make_user
from voiceapp.console.first_page import FIRST_PAGES

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
LOGIN = {"referer": "http://testserver/admin/login/?next=/admin/"}


@pytest.mark.parametrize(
    ("role", "trade", "first"),
    [
        (Role.OWNER, Trade.RESTAURANT, "/admin/analytics/"),
        (Role.MANAGER, Trade.RESTAURANT, "/admin/"),
        (Role.STAFF, Trade.RESTAURANT, "/admin/live/"),
        (Role.STAFF, Trade.GARAGE, "/admin/appointments/plan/"),
        (Role.VIEWER, Trade.RESTAURANT, "/admin/"),
        (Role.KITCHEN, Trade.RESTAURANT, "/admin/orders/board/"),
    ],
)
def test_a_sign_in_ends_on_the_page_of_the_daily_work(role: Role, trade: Trade, first: str) -> None:
    place: Organization = make_organization("Place", trade=trade)
    client = Client()
    client.force_login(make_user("one", place, role))
    assert client.get("/admin/first-page")["Location"] == first
    from_login = client.get("/admin/", headers=LOGIN)
    assert from_login.get("Location", "/admin/") == first
    assert client.get(first, follow=True).status_code == 200
    assert client.get("/admin/").status_code == 200


def test_every_role_has_a_first_page() -> None:
    assert set(FIRST_PAGES) == set(Role)

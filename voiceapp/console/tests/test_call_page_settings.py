"""The call page's settings: who may change them, bad entries, the preview, and the line for a website."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from agents.call_page.models import CallAccess, CallPage
from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.tests.builders import make_agent, make_organization, make_user

pytestmark = pytest.mark.django_db

SITE = "https://www.example.com"


@pytest.fixture
def harbour() -> Organization:
    return make_organization("Harbour")


def as_role(organization: Organization, role: Role) -> Client:
    client = Client()
    client.force_login(make_user(f"{role}-person", organization, role))
    return client


def form(**changes: object) -> dict[str, object]:
    values = {
        "who_may_call": "link",
        "sites": "",
        "daily_budget_usd": "12.50",
        "longest_call_minutes": 4,
        "calls_at_once": 2,
    }
    return values | changes


def url(page: CallPage) -> str:
    return reverse("admin:agents_callpage_change", args=(page.pk,))


def test_an_owner_opens_the_page_to_visitors(harbour: Organization) -> None:
    owner = as_role(harbour, Role.OWNER)
    answer = owner.post(
        reverse("admin:agents_callpage_add"), form(sites="HTTPS://WWW.Example.com/", uses_push_to_talk="on")
    )
    assert answer.status_code == 302, answer.context["errors"]
    page = CallPage.objects.get()
    assert (page.organization, page.who_may_call, page.named_sites) == (harbour, CallAccess.LINK, (SITE,))
    assert page.uses_push_to_talk
    assert owner.get(f"/call/{harbour.slug}").context["uses_push_to_talk"] is True


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"sites": f"{SITE}/menu"},
            "is one page. A whole website may show the call page: enter https://www.example.com.",
        ),
        ({"sites": "https://*.example.com"}, "stands for many websites"),
        ({"sites": "javascript:alert(1)"}, "is not the address of a website"),
        ({"sites": "https://bücher.example"}, "enter it that way".capitalize()),
        ({"who_may_call": "sites"}, "Enter the websites whose visitors may call."),
        ({"daily_budget_usd": "-1"}, "greater than or equal to 0"),
        ({"longest_call_minutes": 61}, "less than or equal to 60"),
    ],
)
def test_a_bad_entry_says_what_to_enter(harbour: Organization, changes: dict[str, object], says: str) -> None:
    page = CallPage.objects.create(organization=harbour)
    answer = as_role(harbour, Role.OWNER).post(url(page), form(**changes))
    assert answer.status_code == 200
    assert says in answer.content.decode()
    page.refresh_from_db()
    assert page.who_may_call == CallAccess.STAFF


def test_the_page_is_shown_with_the_line_for_a_website(harbour: Organization, settings: Settings) -> None:
    settings.PUBLIC_BASE_URL = "https://voice.example.com"
    page = CallPage.objects.create(organization=harbour, who_may_call=CallAccess.SITES, sites=SITE)
    shown = as_role(harbour, Role.MANAGER).get(url(page)).content.decode()
    assert f'<iframe class="va-call-page" src="/call/{harbour.slug}"' in shown
    script = "https://voice.example.com/static/voiceapp/embed.js"
    assert f'&lt;script src="{script}" data-page="https://voice.example.com/call/{harbour.slug}" async' in shown
    assert "the agent" in shown


@pytest.mark.parametrize("role", [Role.STAFF, Role.VIEWER, Role.KITCHEN])
def test_others_do_not_change_it(harbour: Organization, role: Role) -> None:
    page = CallPage.objects.create(organization=harbour)
    assert as_role(harbour, role).post(url(page), form()).status_code in (302, 403)
    page.refresh_from_db()
    assert page.who_may_call == CallAccess.STAFF


@pytest.mark.parametrize(
    ("budget", "model", "says"),
    [
        (10, "", ""),
        (1, "", "Visitors cannot call Harbour: the daily budget pays for no call"),
        (10, "gpt-of-tomorrow", "Visitors cannot call Harbour: no price is known for gpt-of-tomorrow"),
    ],
)
def test_the_dashboard_says_why_visitors_cannot_call(harbour: Organization, budget: int, model: str, says: str) -> None:
    make_agent(harbour, model=model)
    page = CallPage.objects.create(organization=harbour, daily_budget_usd=budget)
    owner = as_role(harbour, Role.OWNER)
    assert "Visitors cannot call" not in owner.get("/admin/").content.decode(), "only the staff call there"
    CallPage.objects.filter(pk=page.pk).update(who_may_call=CallAccess.LINK)
    shown = owner.get("/admin/").content.decode()
    assert says in shown
    assert ("Visitors cannot call" in shown) == bool(says)

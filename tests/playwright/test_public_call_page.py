"""A visitor opens a public page without signing in; a named website shows it in a frame, any other one cannot."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.call_page.models import CallAccess, CallPage
from agents.organizations.models import Organization
from agents.tests.builders import make_agent, make_organization, make_user
from telephony.twilio.models import PhoneNumber

from .conftest import CHROMIUM
from .websites import website, write_page

__all__ = ["website"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]


@pytest.fixture
def harbour(browser: Browser, transactional_db: None) -> Organization:
    harbour = make_organization("Harbour")
    make_agent(harbour)
    return harbour


@contextlib.contextmanager
def visitor(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    try:
        yield context.new_page()
    finally:
        context.close()


def test_a_visitor_sees_the_page_without_signing_in(
    browser: Browser, live_server: LiveServer, harbour: Organization
) -> None:
    CallPage.objects.create(organization=harbour, who_may_call=CallAccess.LINK)
    with visitor(browser) as page:
        page.goto(f"{live_server.url}/call/{harbour.slug}")
        expect(page.get_by_role("heading", name="Call Harbour")).to_be_visible()
        assert page.locator("#call").get_attribute("data-visitor-token")
        assert page.context.cookies() == []
        page.goto(f"{live_server.url}/call/nowhere")
        expect(page).to_have_url(f"{live_server.url}/admin/login/?next=/call/nowhere")


def test_a_named_website_shows_it_in_a_frame_that_may_use_the_microphone(
    browser: Browser, live_server: LiveServer, harbour: Organization, website: str, tmp_path: Path
) -> None:
    write_page(tmp_path, live_server, harbour)
    CallPage.objects.create(organization=harbour, who_may_call=CallAccess.SITES, sites=website)
    with visitor(browser) as page:
        page.goto(website)
        page.get_by_role("button", name="Talk to us").click()
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("heading", name="Call Harbour")).to_be_visible()
        expect(frame.locator("#state")).to_have_text("Ready")
        inside = next(each for each in page.frames if each.url.startswith(live_server.url))
        assert inside.evaluate("document.featurePolicy.allowsFeature('microphone')")
        # Without a cookie, which this frame could not send.
        status = inside.evaluate("""async () => (await fetch(location.pathname + "/visitor", {
            method: "POST", headers: {"Content-Type": "application/json"}, body: "{}" })).status""")
        assert status == 201
        page.keyboard.press("Escape")
        expect(page.locator("iframe")).to_have_count(0)
        page.goto(f"{live_server.url}/call/{harbour.slug}")
        expect(page.get_by_role("heading", name="Harbour takes calls on its website")).to_be_visible()


def test_the_browser_refuses_it_to_a_website_that_is_not_named(
    browser: Browser, live_server: LiveServer, harbour: Organization, website: str, tmp_path: Path
) -> None:
    write_page(tmp_path, live_server, harbour)
    CallPage.objects.create(organization=harbour, who_may_call=CallAccess.LINK, sites="https://www.example.com")
    with visitor(browser) as page:
        page.goto(website)
        # Chromium's own page in its place says that the server refused to connect.
        with page.expect_event("framenavigated", lambda frame: frame.url.startswith("chrome-error:")):
            page.get_by_role("button", name="Talk to us").click()
        expect(page.frame_locator("iframe").locator("#call")).to_have_count(0)


def test_over_the_budget_it_says_when_to_come_back_and_which_number_to_ring(
    browser: Browser, live_server: LiveServer, harbour: Organization
) -> None:
    CallPage.objects.create(organization=harbour, who_may_call=CallAccess.LINK, daily_budget_usd=0)
    PhoneNumber.objects.create(organization=harbour, number="+493023125001")
    with visitor(browser) as page:
        page.goto(f"{live_server.url}/call/{harbour.slug}")
        expect(page.get_by_role("alert")).to_contain_text("takes no more calls today. Come back after midnight (")
        expect(page.get_by_role("alert")).to_contain_text("or ring +49 30 23125001.")
        expect(page.locator("#begin")).to_be_disabled()


def test_the_operator_sees_the_page_beside_its_settings(
    browser: Browser, live_server: LiveServer, harbour: Organization, settings: Settings
) -> None:
    page_of_harbour = CallPage.objects.create(organization=harbour)
    client = Client()
    client.force_login(make_user("alice", harbour))
    name = settings.SESSION_COOKIE_NAME
    with visitor(browser) as page:
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page.goto(f"{live_server.url}/admin/agents/callpage/{page_of_harbour.pk}/change/")
        preview = page.frame_locator("iframe[title='Preview of the call page']")
        expect(preview.get_by_role("heading", name="Call Harbour")).to_be_visible()
        assert preview.locator("#call").get_attribute("data-visitor-token") == ""

"""A browser on the admin of the demo organization. Everything that the console says is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Literal

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Membership
from sessions.calls.models import Call
from voiceapp.management.demo.history import make_history
from voiceapp.management.demo.organization import Demo, make_demo

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
# Playwright's own list, which this one replaces, and the pages that Chromium prepares for each address bar.
WITHOUT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch", "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup",
)  # fmt: skip
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(WITHOUT)}",
)
PASSWORD = "only-for-this-test"
# A shared machine may be busy with others.
expect.set_options(timeout=15_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of the module, not of the session: Playwright's loop runs in this thread and would be in the way of async tests.

    Django's ORM refuses to work beside a running loop, unless this setting allows it.
    """
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def demo(browser: Browser, transactional_db: None, settings: Settings) -> Demo:
    """Bella Napoli with a week's calls, and Alice, who owns it."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    demo = make_demo()
    make_history(demo.organization, demo.agent, demo.number.number, calls=16)
    alice = User.objects.create_user("alice", password=PASSWORD, is_staff=True)
    Membership.objects.create(organization=demo.organization, user=alice, role="owner")
    return demo


@dataclass(slots=True)
class Desk:
    """Alice at her browser."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        answer = self.page.goto(self.address + path)
        assert answer is not None
        assert answer.status == 200, path
        self.page.wait_for_load_state("networkidle")
        return self.page

    def sign_in(self) -> None:
        self.open("/admin/login/")
        self.page.get_by_label("Username").fill("alice")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(f"{self.address}/admin/analytics/")  # an owner sees the figures first

    def faults_of_access(self) -> list[str]:
        """What axe calls serious or critical; select2's own widgets are Django's and left out."""
        script = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
        self.page.evaluate(script)
        found = self.page.evaluate(
            "axe.run({exclude: ['.select2']}, {resultTypes: ['violations']}).then(result => result.violations)"
        )
        return [
            f"{fault['id']}: {node['html'][:120]}"
            for fault in found
            if fault["impact"] in ("serious", "critical")
            for node in fault["nodes"]
        ]


SCREENS: Mapping[str, tuple[int, Literal["light", "dark"]]] = {"1280 light": (1280, "light"), "390 dark": (390, "dark")}


@contextmanager
def desk_at(browser: Browser, screen: str, address: str, session: str) -> Iterator[Desk]:
    """A browser whose user is signed in."""
    width, theme = SCREENS[screen]
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    desk = Desk(context.new_page(), address)
    desk.page.on("console", lambda message: desk.complaints.append(message.text) if message.type == "error" else None)
    desk.page.on("pageerror", lambda error: desk.complaints.append(str(error)))
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
    yield desk
    context.close()


@pytest.fixture(params=SCREENS)
def desk(
    request: pytest.FixtureRequest, browser: Browser, demo: Demo, live_server: LiveServer, settings: Settings
) -> Iterator[Desk]:
    """Alice is signed in already."""
    settings.SIMULATORS = ["openai", "twilio"]
    client = Client()
    client.force_login(User.objects.get(username="alice"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    with desk_at(browser, request.param, live_server.url, session) as desk:
        yield desk


@pytest.fixture
def call(demo: Demo) -> Call:
    """One that was interrupted and made an order."""
    call = Call.objects.filter(organization=demo.organization, orders__isnull=False).order_by("-interruptions").first()
    assert call is not None
    return call

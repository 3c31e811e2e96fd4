"""The page of the API in a browser: quiet, readable on every screen, usable by keyboard, with lines that are copied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.playwright.conftest import CHROMIUM

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs {CHROMIUM}"),
]


class Reader:
    """Somebody who reads the page."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, anchor: str = "") -> Page:
        answer = self.page.goto(f"{self.address}/api/docs{anchor}")
        assert answer is None or answer.status == 200
        self.page.wait_for_load_state("networkidle")
        return self.page


@pytest.fixture(params=["1280 light", "390 dark"])
def reader(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer) -> Iterator[Reader]:
    width, theme = request.param.split()
    context = browser.new_context(viewport={"width": int(width), "height": 900}, color_scheme=theme)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    reader = Reader(context.new_page(), live_server.url)
    yield reader
    assert reader.complaints == []
    context.close()


def test_it_fits_the_screen_and_stands_the_test_of_access(reader: Reader) -> None:
    page = reader.open()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    for details in page.locator("details").all():
        details.evaluate("each => { each.open = true }")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text())
    found = page.evaluate("axe.run().then(result => result.violations)")
    assert [(fault["id"], node["html"][:120]) for fault in found for node in fault["nodes"]] == []


def test_a_line_for_the_shell_is_copied_whole(reader: Reader) -> None:
    page = reader.open("#startSession")
    line = page.locator("article", has=page.locator("#startSession")).locator("figure.sh").first
    line.get_by_role("button").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == line.locator("code").text_content()
    assert copied.startswith("ROOM=$(curl ")


def test_the_keyboard_reaches_the_content_and_each_chapter(reader: Reader) -> None:
    page = reader.open()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    summary = page.locator("summary", has_text="Chapters")
    if summary.is_visible():
        summary.focus()
        page.keyboard.press("Enter")
    link = page.get_by_role("navigation").get_by_role("link", name=re.compile("Start a call"))
    link.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#startSession$"))
    expect(page.locator("#startSession")).to_be_in_viewport()


def test_refusals_open_by_keyboard(reader: Reader) -> None:
    page = reader.open("#startSession")
    refusals = page.locator("article", has=page.locator("#startSession")).locator("details")
    refusals.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(refusals.get_by_text("Active session already exists for this room")).to_be_visible()

"""The page of the API in a browser: quiet, readable on every screen, usable by keyboard, with requests that work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from agents.organizations.services import issue_key
from agents.tests.builders import make_organization
from tests.playwright.conftest import CHROMIUM
from voiceapp.core.api.docs import document

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs {CHROMIUM}"),
]
OPERATIONS = {one["operationId"] for methods in document()["paths"].values() for one in methods.values()}
# Of Swagger UI's own markup, which no style of ours changes: buttons in rows that are buttons, choices without a
# label, code that scrolls by the pointer alone, and tables that are landmarks without a name. The rest is checked.
OF_SWAGGER_UI = ["nested-interactive", "select-name", "scrollable-region-focusable", "landmark-unique", "region"]

# Swagger UI renders all operations of a method alike; the last two have a body of another type, and a header.
OF_EACH_KIND = ("startSession", "readSessions", "updateSession", "endSession", "receiveLiveKitEvent", "submitOrder")
OPEN_ALL = "for (const each of document.querySelectorAll('.opblock:not(.is-open) .opblock-control-arrow')) each.click()"
AXE = "options => axe.run({...options, resultTypes: ['violations']}).then(result => result.violations)"


class Reader:
    """Somebody who reads the page."""

    def __init__(self, page: Page, address: str, *, width: int) -> None:
        self.page, self.address, self.width = page, address, width
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, anchor: str = "") -> Page:
        response = self.page.goto(f"{self.address}/api/docs{anchor}")
        assert response is None or response.status == 200
        self.page.locator(".opblock").first.wait_for()
        return self.page

    def operation(self, name: str) -> Locator:
        return self.page.locator(f"[id^='operations-'][id$='-{name}']")


@pytest.fixture(params=["1280 light", "390 dark"])
def reader(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer) -> Iterator[Reader]:
    width, theme = request.param.split()
    context = browser.new_context(viewport={"width": int(width), "height": 900}, color_scheme=theme)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    reader = Reader(context.new_page(), live_server.url, width=int(width))
    yield reader
    assert reader.complaints == []
    context.close()


def test_it_fits_the_screen_and_stands_the_test_of_access(reader: Reader) -> None:
    page = reader.open()
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert page.evaluate("document.documentElement.classList.contains('dark-mode')") == is_dark
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    for name in OF_EACH_KIND:
        reader.operation(name).locator(".opblock-control-arrow").click()
    expect(page.locator(".opblock.is-open .responses-wrapper")).to_have_count(len(OF_EACH_KIND), timeout=30_000)
    page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text())
    # The same page in other colors: the rules about anything else have been applied to it.
    all_rules = {"rules": {rule: {"enabled": False} for rule in OF_SWAGGER_UI}}
    found = page.evaluate(AXE, {"runOnly": ["color-contrast"]} if is_dark else all_rules)
    assert [(fault["id"], node["html"][:120]) for fault in found for node in fault["nodes"]] == []
    if reader.width > 390:
        return
    page.evaluate(OPEN_ALL)
    expect(page.locator(".opblock.is-open .responses-wrapper")).to_have_count(len(OPERATIONS), timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_every_operation_has_an_anchor_of_its_own(reader: Reader) -> None:
    page = reader.open()
    anchors = page.evaluate("[...document.querySelectorAll('.opblock')].map(each => each.id)")
    assert {anchor.rpartition("-")[2] for anchor in anchors} == OPERATIONS
    every_id = page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    assert len(anchors) == len(set(anchors))
    assert all(every_id.count(anchor) == 1 for anchor in anchors)


def test_a_request_is_sent_with_a_key_and_its_line_for_the_shell_is_copied_whole(reader: Reader) -> None:
    key = issue_key(make_organization("Harbour"), name="website").text
    page = reader.open("#/Calls/readSessions")
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".dialog-ux")
    dialog.locator(".auth-container", has_text="X-API-Key").get_by_label("Value").fill(key)
    dialog.get_by_role("button", name="Apply credentials").first.click()
    dialog.locator(".close-modal").click()
    operation = reader.operation("readSessions")
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response .response-col_status")).to_have_text(re.compile("200"))
    operation.get_by_role("button", name="Copy cURL command").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == operation.locator(".curl-command code").text_content()
    assert copied.startswith("curl ")
    assert f"X-API-Key: {key}" in copied


def test_the_keyboard_opens_an_operation(reader: Reader) -> None:
    page = reader.open()
    control = reader.operation("startSession").locator(".opblock-summary-control")
    control.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#/Calls/startSession$"))
    expect(reader.operation("startSession")).to_be_in_viewport()
    shown = reader.operation("startSession")
    expect(shown.get_by_text('ROOM=$(curl -sS "$BASE/api/voice/session"')).to_be_visible()


def test_an_operation_shows_fields_choices_and_errors(reader: Reader) -> None:
    reader.open("#/Calls/startSession")
    operation = reader.operation("startSession")
    operation.get_by_role("tab", name="Schema").first.click()
    operation.get_by_role("button", name="Expand all").first.click()
    expect(operation.get_by_text("user-to-user").first).to_be_visible()
    expect(operation.get_by_text(re.compile("Active session already exists for this room")).first).to_be_visible()
    other = reader.operation("openRealtimeSession")
    other.locator(".opblock-summary-control").click()
    expect(other.get_by_text("client_secret").first).to_be_visible()

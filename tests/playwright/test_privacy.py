"""Privacy settings and requests of callers on a phone's dark screen, by the keyboard alone."""

from __future__ import annotations

import json
import zipfile

import pytest
from playwright.sync_api import Page, expect

from agents.privacy.models import PrivacySettings
from sessions.calls.models import Call
from sessions.messages.outbox import outbox
from telephony.caller_requests.deleting import TOPIC
from telephony.caller_requests.models import CallerRequest
from voiceapp.management.demo.organization import Demo

from .conftest import CHROMIUM, Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
    pytest.mark.parametrize("desk", ["390 dark"], indirect=True),
]


def is_in_order(desk: Desk) -> None:
    page = desk.page
    assert desk.complaints == []
    assert desk.faults_of_access() == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("window.innerWidth")


def tab_to(page: Page, name: str) -> None:
    """From where the focus is, as somebody without a mouse goes there."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("name => document.activeElement.name === name", name):
            return
    raise AssertionError(f"{name} cannot be reached")


def test_the_privacy_of_an_organization_is_set(desk: Desk, demo: Demo) -> None:
    page = desk.open("/admin/agents/privacysettings/add/")
    is_in_order(desk)
    tab_to(page, "announcement")
    page.keyboard.type("This call is recorded.")
    tab_to(page, "recording_days")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("30")
    tab_to(page, "is_on_hold")
    page.keyboard.press("Space")
    tab_to(page, "hold_reason")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Enter why nothing may be deleted.", exact=True)).to_be_visible()
    is_in_order(desk)
    page.get_by_label("Reason for the hold").focus()
    page.keyboard.type("Case 17")
    page.keyboard.press("Enter")
    expect(page.get_by_text("was added successfully")).to_be_visible()
    is_in_order(desk)
    saved = PrivacySettings.objects.get(organization=demo.organization)
    assert (saved.announcement, saved.recording_days, saved.is_on_hold) == ("This call is recorded.", 30, True)


def test_a_callers_request_goes_from_the_number_to_the_proof(desk: Desk, demo: Demo) -> None:
    calls = Call.objects.filter(organization=demo.organization)
    number = calls.exclude(caller_number="").values_list("caller_number", flat=True)[0]
    page = desk.open("/admin/telephony/callerrequest/add/")
    is_in_order(desk)
    tab_to(page, "number")
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    expect(page.get_by_text("was added successfully")).to_be_visible()
    request = CallerRequest.objects.get()
    page = desk.open(f"/admin/telephony/callerrequest/{request.pk}/change/")
    expect(page.get_by_text("transcript lines")).to_be_visible()
    is_in_order(desk)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as a file").press("Enter")
    assert json.loads(zipfile.ZipFile(download.value.path()).read("data.json"))["number"] == number
    page.locator("summary", has_text="Delete everything").press("Enter")
    expect(page.get_by_text("It cannot be brought back.")).to_be_visible()
    is_in_order(desk)
    page.locator(".va-panel").get_by_role("button", name="Delete everything").press("Enter")
    expect(page.get_by_text("The deletion has begun.")).to_be_visible()
    outbox.process_due([TOPIC])
    page = desk.open(f"/admin/telephony/callerrequest/{request.pk}/change/")
    expect(page.get_by_text("Removed")).to_be_visible()
    assert number not in page.content()
    is_in_order(desk)
    page = desk.open("/admin/telephony/callerrequest/")
    is_in_order(desk)
    assert not calls.filter(caller_number=number).exists()

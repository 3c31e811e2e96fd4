"""Alice reads on the dashboard that calls fail, follows the alert to its calls, and snoozes it."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from sessions.alerts.kinds import AlertKind
from sessions.alerts.tests.builders import make_calls, rule_of, run
from voiceapp.management.demo.organization import Demo

from .conftest import CHROMIUM, Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]


def test_an_alert_is_raised_followed_to_its_calls_and_snoozed(desk: Desk, demo: Demo) -> None:
    now, organization = timezone.now(), demo.organization
    make_calls(organization, 7, at=now - dt.timedelta(minutes=2), state="failed", end_reason="provider_failed")
    rule_of(organization, AlertKind.FAILED_CALLS)
    run(organization, now)

    page = desk.open("/admin/")
    page.get_by_role("link", name="Many calls fail").click()
    expect(page.get_by_text("calls failed within 60 minutes")).to_be_visible()
    assert desk.faults_of_access() == []

    page.get_by_role("link", name="7 calls", exact=True).click()
    expect(page.get_by_text(re.compile("^Alert: Many calls fail"))).to_be_visible()
    expect(page.locator("#result_list tbody")).to_have_count(7)
    assert desk.faults_of_access() == []

    page.go_back()
    page.locator("summary", has_text="Snooze for days").click()
    page.get_by_label("Number of days").fill("3")
    page.get_by_role("button", name="Snooze for days").click()
    expect(page.get_by_text("Nobody is notified or reminded until then")).to_be_visible()
    desk.open("/admin/voice_sessions/alertrule/")
    assert desk.faults_of_access() == []
    desk.open("/admin/")
    expect(page.get_by_role("link", name="Many calls fail")).to_have_count(0)
    assert desk.complaints == []

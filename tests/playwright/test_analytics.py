"""The figures of the demo's calls on a phone's dark screen: charts with their tables, and the calls behind a figure."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from sessions.calls.models import ANSWERED, Call
from voiceapp.management.demo.organization import Demo

from .conftest import CHROMIUM, Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.embedded,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
    pytest.mark.parametrize("desk", ["390 dark"], indirect=True),
]


def test_figures_are_read_and_followed(desk: Desk, demo: Demo) -> None:
    page = desk.open("/admin/analytics/")
    chart = page.get_by_role("figure", name="Calls")
    expect(chart.get_by_role("img")).to_have_accessible_name(re.compile("Highest on .*: answered"))
    chart.get_by_text("Calls as a table").click()
    expect(chart.get_by_role("table").get_by_role("row")).to_have_count(28 + 1)
    assert desk.faults_of_access() == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("window.innerWidth")
    page.get_by_role("link", name="By outcome").click()
    page.get_by_role("row", name="Order").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile("outcome=order"))
    answered = Call.objects.filter(organization=demo.organization, state__in=ANSWERED, orders__isnull=False).count()
    expect(page.locator("#result_list tbody tr")).to_have_count(answered)
    assert desk.complaints == []

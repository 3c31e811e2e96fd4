"""The figures of a period: what they say, where they lead, and who sees them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.organizations.models import Membership
from sessions.analytics.services import rebuild
from sessions.calls.models import Call, CallState, ToolCall
from sessions.orders.models import Order
from voiceapp.console.tests.conftest import *  # noqa: F403 - the cast
from voiceapp.console.tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

PAGE = "/admin/analytics/"
TILE = re.compile(r'va-tile" href="([^"]*)">.*?</span>([^<]+)</span>\s*<strong>(.*?)</strong>', re.DOTALL)


def page_of(client: Client, **asked: Any) -> str:
    response = client.get(PAGE, asked)
    assert response.status_code == 200
    return response.content.decode()


def tiles(page: str) -> dict[str, tuple[str, str]]:
    """Label → figure, address."""
    return {label: (value, unescape(url)) for url, label, value in TILE.findall(page)}


def sheet(client: Client, **asked: Any) -> list[dict[str, str]]:
    text = client.get(PAGE, {**asked, "format": "csv"}).content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def counted_at_list(client: Client, url: str) -> int:
    """How many rows the admin's list shows at a figure's address."""
    response = client.get(url)
    assert response.status_code == 200, url
    found: int = response.context["cl"].result_count
    return found


def test_today_is_read_from_the_calls(client_of_alice: Client, harbour: World) -> None:
    found = {label: value for label, (value, _) in tiles(page_of(client_of_alice)).items()}
    assert found | {"Calls": "1", "Answered": "1", "Answer rate": "100.0%", "Average duration": "1:05",
                    "Orders": "1", "Revenue (EUR)": "11.00 EUR", "Bookings": "1", "Conversion": "100.0%",
                    "Interruptions": "0", "Texts sent": "0", "Cost": "–", "Cost per order": "–"} == found  # fmt: skip
    assert found["Response time p50"] in ("0.87 s", "0.90 s", "0.93 s", "0.86 s")


def test_past_days_are_those_of_the_table_and_are_compared(client_of_alice: Client, harbour: World) -> None:
    now = timezone.now()
    for days, number in ((2, 3), (40, 2)):
        for _ in range(number):
            call = Call.objects.create(organization=harbour.organization, state=CallState.MISSED)
            Call.objects.filter(pk=call.pk).update(created_at=now - dt.timedelta(days=days))
    assert tiles(page_of(client_of_alice))["Calls"][0] == "1"  # not counted yet
    list(rebuild(harbour.organization))
    page = page_of(client_of_alice)
    assert tiles(page)["Calls"][0] == "4"
    assert "Before: 2 (+100%)" in page
    assert [row["calls"] for row in sheet(client_of_alice, by="outcome")] == ["1", "1", "1", "3", "4", "2"]


def test_each_figure_leads_to_the_rows_it_counts(client_of_alice: Client, harbour: World) -> None:
    other = Call.objects.create(organization=harbour.organization, state=CallState.MISSED, dialed_number="+493055501")
    Call.objects.filter(pk=other.pk).update(created_at=timezone.now() - dt.timedelta(days=40))
    Order.objects.create(
        organization=harbour.organization, number=9, currency="EUR", subtotal=5, tax=0, total=5, state="canceled"
    )
    Call.objects.update(slowest_response_ms=900)
    followed: set[str] = set()
    for by in ("day", "hour", "number", "version", "outcome"):
        page = page_of(client_of_alice, by=by)
        if not followed:
            for label in ("Calls", "Answered", "Orders", "Bookings"):
                assert counted_at_list(client_of_alice, tiles(page)[label][1]) == 1, label
        links = re.findall(r'<td class="va-number"><a class="va-link" href="([^"]*)">', page)
        assert links
        for link in {*links} - followed:
            assert counted_at_list(client_of_alice, unescape(link)) == 1, (by, link)
        followed |= {*links}


def test_conversion_leads_to_the_answered_calls_that_ordered_or_booked(client_of_alice: Client, harbour: World) -> None:
    call = harbour[Call]
    Call.objects.filter(pk=call.pk).update(state=CallState.COMPLETED)
    Call.objects.create(organization=harbour.organization, state=CallState.COMPLETED)
    figure, link = tiles(page_of(client_of_alice))["Conversion"]
    assert (figure, counted_at_list(client_of_alice, link)) == ("50.0%", 1)


def test_after_hours_leads_to_the_calls_that_came_while_it_was_closed(client_of_alice: Client, harbour: World) -> None:
    for reason in ("closed_hours", "line_full"):
        Call.objects.create(organization=harbour.organization, state=CallState.MISSED, end_reason=reason)
    figure, link = tiles(page_of(client_of_alice))["After hours"]
    assert (figure, counted_at_list(client_of_alice, link)) == ("1", 1)


def test_topics_lead_to_the_calls_in_which_they_were_asked_about(client_of_alice: Client, harbour: World) -> None:
    now = timezone.now()
    call: Call = harbour[Call]
    ToolCall.objects.filter(call=call).delete()
    Call.objects.filter(pk=call.pk).update(topics=0)
    for name, outcome in (("get_opening_hours", "done"), ("look_up_items", "refused"), ("get_opening_hours", "done")):
        ToolCall.objects.create(call=call, tool_call_id=str(uuid4()), name=name, outcome=outcome, at=now)
    asked_about = {"Opening hours": "1", "What is not offered": "1"}
    found = topics(page_of(client_of_alice))
    assert {label: calls for label, (calls, _url) in found.items()} == asked_about
    assert all(counted_at_list(client_of_alice, url) == 1 for _calls, url in found.values())
    begins = now - dt.timedelta(days=3)
    Call.objects.filter(pk=call.pk).update(created_at=begins)
    list(rebuild(harbour.organization))
    assert {label: calls for label, (calls, _url) in topics(page_of(client_of_alice)).items()} == asked_about
    assert not topics(page_of(client_of_alice, outcome="missed"))


def topics(page: str) -> dict[str, tuple[str, str]]:
    """Label → calls, address."""
    rows = re.findall(
        r'<th scope="row">([^<]*)</th><td><svg.*?href="([^"]*)">(\d+)</a>', page.partition('id="topics"')[2]
    )
    return {label: (calls, unescape(url)) for label, url, calls in rows}


def test_who_sees_figures(client_of_alice: Client, harbour: World, meadow: World) -> None:
    """A stranger's calls are in no figure; the kitchen has no page."""
    assert tiles(page_of(client_of_alice))["Calls"][0] == "1"
    page = page_of(client_of_alice, organization=str(meadow.organization.pk), agent="999999", number="+1' or 1=1")
    assert "Meadow" not in page
    assert "not in the list any more" in page
    customer = "+4930231259999"
    Call.objects.create(organization=harbour.organization, direction="outbound", dialed_number=customer)
    page = page_of(client_of_alice, by="number")
    assert harbour[Call].dialed_number[-9:] in page.replace(" ", "")
    assert not {harbour[Call].caller_number[-9:], customer[-9:]} & set(re.findall(r"\d{9}", page.replace(" ", "")))
    for role, status in (("viewer", 200), ("staff", 200), ("kitchen", 403)):
        client = Client()
        client.force_login(harbour.member(role))
        assert client.get(PAGE).status_code == status
        assert ("/admin/analytics/" in client.get("/admin/").content.decode()) == (status == 200)
    Membership.objects.all().delete()
    assert client_of_alice.get(PAGE).status_code == 403


def test_what_cannot_be_read_is_named(client_of_alice: Client, harbour: World) -> None:
    assert "Write the date like" in page_of(client_of_alice, **{"from": "<script>alert(1)</script>"})
    assert "Exchange the two" in page_of(client_of_alice, **{"from": "2026-11-02", "to": "2026-11-01"})
    assert "from 2000 on" in page_of(client_of_alice, **{"from": "0001-01-01", "to": "0001-01-02"})
    assert "at most 366 days" in page_of(client_of_alice, **{"from": "2001-01-01"})
    assert "not in the list any more" in page_of(client_of_alice, by="phase of the moon")
    page = page_of(client_of_alice, **{"from": "2020-01-01", "to": "2020-01-02", "by": "number"})
    assert "There were no calls" in page


def test_money_is_never_added_across_currencies(client_of_alice: Client, harbour: World) -> None:
    Order.objects.create(organization=harbour.organization, number=2, currency="USD", subtotal=5, tax=0, total=5)
    found = tiles(page_of(client_of_alice))
    assert (found["Revenue (EUR)"][0], found["Revenue (USD)"][0]) == ("11.00 EUR", "5.00 USD")


def test_the_sheet_has_no_formulas(client_of_alice: Client, harbour: World) -> None:
    rows = sheet(client_of_alice, by="number")
    assert rows[0]["number"].startswith("'+49")
    assert [rows[0]["calls"], rows[0]["revenue_eur"], rows[0]["cost_usd"]] == ["1", "11.00", ""]


def test_the_number_of_queries_is_constant(client_of_alice: Client, harbour: World, meadow: World) -> None:
    def queries(**asked: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            page_of(client_of_alice, **asked)
        return len(captured)

    few = queries(by="version")
    for days in range(30):
        call = Call.objects.create(
            organization=harbour.organization, agent_version=harbour[Call].agent_version, state="completed"
        )
        Call.objects.filter(pk=call.pk).update(created_at=timezone.now() - dt.timedelta(days=days))
    list(rebuild(harbour.organization))
    assert queries(by="version") == few <= 22

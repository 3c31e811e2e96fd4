"""Alerts and their rules as people see them: badge, dashboard, list, page, buttons, and the calls behind each."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agents.organizations.models import Organization
from sessions.alerts.kinds import AlertKind
from sessions.alerts.models import Alert, AlertRule
from sessions.alerts.tests.builders import make_calls, rule_of, run
from sessions.calls.models import Call

from .world import World

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

LIST = "/admin/voice_sessions/alert/"
RULES = "/admin/voice_sessions/alertrule/"


def failing(world: World, minutes: int = 5) -> Alert:
    """Three calls failed, and the rule has noticed."""
    organization, now = world.organization, timezone.now()
    Alert.objects.filter(organization=organization).delete()
    Call.objects.filter(organization=organization).update(created_at=now - dt.timedelta(minutes=minutes + 1))
    make_calls(organization, 3, at=now - dt.timedelta(minutes=minutes), state="failed", end_reason="provider_failed")
    rule_of(organization, AlertKind.FAILED_CALLS)
    run(organization, now)
    return Alert.objects.get(organization=organization)


def page_of(alert: Alert) -> str:
    return reverse("admin:voice_sessions_alert_change", args=(alert.pk,))


def press(client: Client, alert: Alert, button: str, text: str = "") -> str:
    address = reverse("admin:voice_sessions_alert_press", args=(alert.pk, button))
    page: str = client.post(address, {"text": text}, follow=True).content.decode()
    return page


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


def badge(client: Client) -> int:
    items = [item for group in client.get("/admin/").context["sidebar_navigation"] for item in group["items"]]
    return next(int(item["badge"]) for item in items if item["link"] == LIST)


def test_an_alert_leads_from_the_dashboard_to_its_page_and_to_exactly_its_calls(
    client_of_alice: Client, harbour: World
) -> None:
    alert = failing(harbour)
    assert badge(client_of_alice) == 1
    first_page = text_of(client_of_alice, "/admin/")
    assert f'href="{page_of(alert)}">Many calls fail' in first_page
    page = text_of(client_of_alice, page_of(alert))
    assert "3 of 4 calls failed within 60 minutes (75 %)." in page
    assert "Open the calls behind this alert" in page
    (link,) = set(re.findall(r'href="([^"]+)">3 calls<', page))
    assert page.count("AI provider failed") == 3
    calls = text_of(client_of_alice, link)
    listed = set(re.findall(r"/admin/voice_sessions/call/([0-9a-f-]{36})/change/", calls))
    assert listed == {str(pk) for pk in Call.objects.filter(state="failed").values_list("pk", flat=True)}
    assert "Alert: <strong>Many calls fail" in calls


def test_a_strangers_alert_shows_no_calls(client_of_alice: Client, harbour: World, meadow: World) -> None:
    alert = failing(meadow)
    calls = text_of(client_of_alice, f"/admin/voice_sessions/call/?alert={alert.pk}")
    assert "Alert: Choose one of the list." in calls
    for typed in ("x", "0" * 2000, "<b>"):
        text_of(client_of_alice, f"/admin/voice_sessions/call/?state=failed&alert={typed}")


def test_it_is_snoozed_and_woken_and_taken_care_of(client_of_alice: Client, harbour: World) -> None:
    alert = failing(harbour)
    page = press(client_of_alice, alert, "snooze-days", "three")
    assert "Enter a number of days from 1 to 30." in page
    assert "Snoozed until" in press(client_of_alice, alert, "snooze-days", "3")
    alert.refresh_from_db()
    assert (alert.status, alert.snoozed_by, badge(client_of_alice)) == (Alert.Status.SNOOZED, "alice", 0)
    assert "Many calls fail" not in text_of(client_of_alice, "/admin/").split('id="attention"')[1]
    for status, is_listed in (("", True), ("?status=snoozed", True), ("?status=open", False), ("?status=all", True)):
        assert (page_of(alert) in text_of(client_of_alice, LIST + status)) is is_listed
    assert "The alert is open again." in press(client_of_alice, alert, "wake")
    assert "You take care of it." in press(client_of_alice, alert, "acknowledge")
    assert "By alice, since" in text_of(client_of_alice, page_of(alert))
    assert "no longer possible" in press(client_of_alice, alert, "acknowledge")
    for button in ("snooze-hour", "snooze-tomorrow"):
        assert "Snoozed until" in press(client_of_alice, alert, button)
    Alert.objects.update(resolved_at=timezone.now(), resolution="over")
    assert "no longer possible" in press(client_of_alice, alert, "snooze-hour")
    assert "It is over." in text_of(client_of_alice, page_of(alert))
    assert page_of(alert) in text_of(client_of_alice, f"{LIST}?status=resolved")


@pytest.mark.parametrize(
    ("role", "sees", "snoozes", "edits"),
    [("manager", 200, True, True), ("staff", 200, True, False), ("viewer", 200, False, False),
     ("kitchen", 403, False, False)],
)  # fmt: skip
def test_each_role_does_what_the_table_says(
    role: str, sees: int, snoozes: bool, edits: bool, harbour: World, client: Client
) -> None:
    alert = failing(harbour)
    client.force_login(harbour.member(role))
    assert client.get(page_of(alert)).status_code == sees
    assert client.get(LIST).status_code == sees
    press(client, alert, "snooze-hour")
    alert.refresh_from_db()
    assert (alert.status == Alert.Status.SNOOZED) is snoozes
    rule = AlertRule.objects.get(organization=harbour.organization, kind=AlertKind.SPEND)
    client.post(change(rule), {"threshold": "7.50", "window": "7", "is_on": "on"})
    rule.refresh_from_db()
    assert (rule.threshold == Decimal("7.5")) is edits


def change(rule: AlertRule) -> str:
    return reverse("admin:voice_sessions_alertrule_change", args=(rule.pk,))


def test_a_rule_is_set_and_says_what_it_would_have_done(client_of_alice: Client, harbour: World) -> None:
    failing(harbour)
    page = text_of(client_of_alice, RULES)
    assert page.count("/admin/voice_sessions/alertrule/") >= 6
    rule = AlertRule.objects.get(organization=harbour.organization, kind=AlertKind.FAILED_CALLS)
    page = text_of(client_of_alice, change(rule))
    assert "It would have been raised once in the last 7 days." in page
    assert "Not yet. A worker does it once a minute." in page
    AlertRule.objects.update(evaluated_at=timezone.now() - dt.timedelta(minutes=11))
    assert "No worker is running: nobody is notified of anything." in text_of(client_of_alice, change(rule))
    form = {"is_on": "on", "threshold": "80", "window": "30", "mails_managers": "on", "sends_webhooks": "on",
            "emails": "ada@example.com; ben@example.com", "numbers": ""}  # fmt: skip
    Organization.objects.update(country="DE")
    assert client_of_alice.post(change(rule), form | {"numbers": "0151 12300001"}).status_code == 302
    rule.refresh_from_db()
    assert (rule.threshold, rule.window) == (Decimal(80), 30)
    assert (rule.emails, rule.numbers) == ("ada@example.com, ben@example.com", "+4915112300001")
    page = text_of(client_of_alice, change(rule))
    assert "It would not have been raised." in page
    assert "ada@example.com (no mail server), ben@example.com (no mail server), +49 1511 2300001 (No Twilio" in page


def test_of_two_people_who_set_a_limit_the_second_one_is_asked(client_of_alice: Client, harbour: World) -> None:
    rule = rule_of(harbour.organization, AlertKind.FAILED_CALLS)
    page = text_of(client_of_alice, change(rule))
    assert re.search(r'name="initial-threshold" value="20"', page)
    AlertRule.objects.filter(pk=rule.pk).update(threshold=50)
    form = {"is_on": "on", "threshold": "30", "initial-threshold": "20", "window": "60", "initial-window": "60"}
    page = client_of_alice.post(change(rule), form).content.decode()
    assert "changed this to “50” while this page was open" in page
    form["threshold"] = form["initial-threshold"] = "20"
    form["window"] = "90"
    assert client_of_alice.post(change(rule), form).status_code == 302
    rule.refresh_from_db()
    assert (rule.threshold, rule.window) == (Decimal(50), 90)  # what the second one left alone stays


def test_what_cannot_be_set_is_refused_in_a_sentence(client_of_alice: Client, harbour: World) -> None:
    rule = rule_of(harbour.organization, AlertKind.FAILED_CALLS)
    Organization.objects.update(country="DE")
    form = {"is_on": "on", "threshold": "101", "window": "7", "emails": "ada@", "numbers": "030 555"}
    page = client_of_alice.post(change(rule), form).content.decode()
    for words in ("less than or equal to 100", "greater than or equal to 15", "“ada@” is not an e-mail address",
                  "“030 555”: "):  # fmt: skip
        assert words in page
    form |= {"threshold": "nan", "window": "1e9", "emails": ",".join(f"a{n}@example.com" for n in range(6)),
             "numbers": "+4930123456"}  # fmt: skip
    page = client_of_alice.post(change(rule), form).content.decode()
    for words in ("Enter at most 5.", "A landline gets no texts."):
        assert words in page
    rule.refresh_from_db()
    assert (rule.threshold, rule.emails) == (Decimal(20), "")


def test_lists_take_the_same_queries_whatever_there_is(client_of_alice: Client, harbour: World) -> None:
    failing(harbour)
    counts = []
    for address in (LIST, RULES):
        text_of(client_of_alice, address)
        with CaptureQueriesContext(connection) as few:
            text_of(client_of_alice, address)
        Alert.objects.bulk_create(
            Alert(organization=harbour.organization, kind="number", subject=f"{address}{number}", facts={
                "number": "+49", "state": "missing", "difference": ""}, since=timezone.now(),
                opened_at=timezone.now(), last_at=timezone.now())
            for number in range(20)
        )  # fmt: skip
        with CaptureQueriesContext(connection) as many:
            text_of(client_of_alice, address)
        counts.append((len(few), len(many)))
    assert all(few == many for few, many in counts), counts

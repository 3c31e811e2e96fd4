"""The list of calls is filtered by what an operator asks of it, alone and together, within the user's organizations."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sessions.appointments.models import Appointment
from sessions.calls.models import Call, ToolCall
from sessions.calls.topics import BITS, CallTopic
from sessions.orders.models import Order
from telephony.twilio.voicemail.models import Voicemail

from .world import World

LIST = "/admin/voice_sessions/call/"


def listed(client: Client, query: str) -> set[str]:
    """The ids of the calls on the page."""
    response = client.get(f"{LIST}?{query}", follow=True)
    assert response.status_code == 200
    return {str(call.pk) for call in response.context["cl"].result_list}


@pytest.fixture
def call(harbour: World) -> Call:
    """Costs 5 cents, answered after 2.5 s at the slowest, was interrupted twice, on a Monday at 23:30 in Berlin."""
    harbour.organization.time_zone, harbour.organization.country = "Europe/Berlin", "DE"
    harbour.organization.save()
    row = {
        "cost_usd": Decimal("0.05"), "slowest_response_ms": 2500, "interruptions": 2,
        "created_at": dt.datetime(2026, 11, 23, 22, 30, tzinfo=dt.UTC), "caller_number": "+4917655512345",
    }  # fmt: skip
    Call.objects.filter(pk=harbour[Call].pk).update(**row)
    found: Call = harbour[Call]
    found.refresh_from_db()
    return found


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("version=1", True), ("version=2", False),
        ("number=0176+555", True), ("number=%2B49+(0)176/555", True), ("number=0176+556", False),
        ("direction=inbound", True), ("direction=outbound", False),
        ("since=2026-11-23&until=2026-11-23", True), ("since=2026-11-24", False), ("until=22.11.2026", False),
        ("period=today", False),
        ("state=completed&reason=agent_hung_up", True), ("state=completed&reason=line_full", False),
        ("cost_from=0.05&cost_to=0.05", True), ("cost_from=0.050001", False), ("cost_to=0.04", False),
        ("slowest_from=2.5", True), ("slowest_to=2.499", False),
        ("interruptions_from=2&interruptions_to=2", True), ("interruptions_from=3", False),
        ("q=words&state=completed", True), ("q=words&state=failed", False), ("q=0176+555&direction=inbound", True),
    ],
)  # fmt: skip
def test_a_call_is_found_by_what_is_true_of_it(query: str, is_found: bool, call: Call, client_of_alice: Client) -> None:
    assert (str(call.pk) in listed(client_of_alice, query)) == is_found


def test_calls_are_filtered_by_agent_and_not_by_a_strangers(call: Call, meadow: World, client_of_alice: Client) -> None:
    assert listed(client_of_alice, f"agent={call.agent_id}") == {str(call.pk)}
    strangers = meadow[Call].agent_id
    page = client_of_alice.get(f"{LIST}?agent={strangers}").content.decode()
    assert "Agent: Choose one of the list." in page
    assert "Meadow" not in page


@pytest.mark.parametrize("outcome", ["order", "appointment", "transfer", "voicemail"])
def test_calls_are_filtered_by_what_came_of_them(outcome: str, call: Call, client_of_alice: Client) -> None:
    """The call of the world brought an order, an appointment and a message."""
    Call.objects.filter(pk=call.pk).update(end_reason="transferred")
    assert listed(client_of_alice, f"outcome={outcome}") == {str(call.pk)}
    assert not listed(client_of_alice, "outcome=nothing")
    forget: dict[str, Any] = {
        "order": lambda: Order.objects.update(state="replaced"),
        "appointment": lambda: Appointment.objects.update(state="canceled"),
        "transfer": lambda: Call.objects.update(end_reason="agent_hung_up"),
        "voicemail": Voicemail.objects.all().delete,
    }
    for undo in forget.values():
        undo()
    assert not listed(client_of_alice, f"outcome={outcome}")
    assert str(call.pk) in listed(client_of_alice, "outcome=nothing")


def test_calls_are_filtered_by_what_was_asked_about_also_while_they_go_on(
    call: Call, meadow: World, client_of_alice: Client
) -> None:
    """The agent looked up an item in the calls of the world."""
    Call.objects.filter(pk=call.pk).update(state="connected", end_reason="")
    now, used = timezone.now(), (("look_up_items", "refused"), ("get_opening_hours", "failed"), ("end_call", "done"))
    found = {topic for topic in CallTopic.values if listed(client_of_alice, f"topic={topic}")}
    ToolCall.objects.bulk_create(
        ToolCall(call=call, tool_call_id=name + outcome, name=name, outcome=outcome, at=now) for name, outcome in used
    )
    more = {topic for topic in CallTopic.values if listed(client_of_alice, f"topic={topic}") == {str(call.pk)}}
    assert (found, more) == ({"menu"}, {"menu", "not_offered", "hours"})
    Call.objects.update(end_reason="transferred")
    assert listed(client_of_alice, "topic=person") == {str(call.pk)}


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("cost_from=cheap", "Cost (USD), from: Enter a number."),
        ("slowest_from=-1", "Slowest response (s), from:"),
        ("interruptions_from=5&interruptions_to=4", "Interruptions, to: This is before the beginning: swap the two."),
        ("since=tomorrow", "From day: Write the date like"),
        ("number=12", "Enter at least 3 digits of the number."),
        ("state=happy", "State: Choose one of the list."),
        ("version=99999999999999999999", "Agent version:"),
        ("reason=%3Cscript%3E", "End reason: Choose one of the list."),
        ("cost_from=1e400", "Cost (USD), from:"), ("cost_from=NaN", "Cost (USD), from:"),
        ("number=" + "9" * 500, "Number of the caller, or dialed:"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_said_and_does_not_filter(
    query: str, refusal: str, call: Call, client_of_alice: Client
) -> None:
    page = client_of_alice.get(f"{LIST}?{query}").content.decode()
    assert refusal in page.replace("&#x27;", "'")
    assert "<script>" not in page.partition("va-list-tools")[2].partition("</section>")[0]
    assert str(call.pk) in page


def test_the_filters_stand_above_the_list_each_with_the_list_without_it(call: Call, client_of_alice: Client) -> None:
    page = client_of_alice.get(f"{LIST}?state=completed&cost_from=0.01&q=words").content.decode()
    assert "State: <strong>Completed</strong>" in page
    assert 'href="?cost_from=0.01&amp;q=words"' in page


def test_empty_fields_of_the_form_leave_the_address(client_of_alice: Client) -> None:
    response = client_of_alice.get(f"{LIST}?q=&state=failed&agent=&cost_from=")
    assert response.status_code == 302
    assert response.headers["Location"] == "?q=&state=failed"


def test_a_number_is_not_found_digit_by_digit_by_those_who_see_it_masked(call: Call, harbour: World) -> None:
    client = Client()
    client.force_login(harbour.member("viewer"))
    assert not listed(client, "number=0176+555")
    assert listed(client, "number=0176+555+12345") == {str(call.pk)}


def test_each_filter_takes_the_same_number_of_queries_for_one_and_for_forty(
    call: Call, harbour: World, client_of_alice: Client
) -> None:
    query = "outcome=order&topic=menu&cost_from=0.01&slowest_from=1&version=1&state=completed&since=2020-01-01"

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            listed(client_of_alice, query)
        return len(captured)

    queries()
    few = queries()
    for number in range(40):
        other = Call.objects.create(
            organization=harbour.organization, agent_version=call.agent_version, state="completed", cost_usd=1,
            slowest_response_ms=2000, topics=BITS[CallTopic.MENU],
        )  # fmt: skip
        Order.objects.create(
            organization=harbour.organization, call=other, number=number + 2, currency="EUR", subtotal=1, tax=0, total=1
        )
    Call.objects.update(created_at=call.created_at)  # dates above the list are read one by one
    assert len(listed(client_of_alice, query)) == 41
    assert queries() == few <= 27


def test_the_list_and_the_page_lead_to_what_the_end_reason_means(
    call: Call, client_of_alice: Client, alice: User
) -> None:
    address = f"{LIST}end-reasons/"
    for page in (LIST, f"{LIST}{call.pk}/change/"):
        assert f'href="{address}#agent_hung_up"' in client_of_alice.get(page).content.decode()
    shown = client_of_alice.get(address).content.decode()
    for words in ('id="line_full"', "Raise the organization&#x27;s “Maximum concurrent calls”", "?reason=line_full"):
        assert words in shown, words


def test_today_begins_in_the_zone_of_the_organization(call: Call, client_of_alice: Client) -> None:
    midnight = timezone.localtime(timezone=dt.timezone(dt.timedelta(hours=1))).replace(hour=0, minute=0, second=0)
    Call.objects.filter(pk=call.pk).update(created_at=midnight + dt.timedelta(seconds=1))
    if timezone.now().month in (1, 2, 11, 12):  # Berlin is an hour ahead of UTC
        assert str(call.pk) in listed(client_of_alice, "period=today")

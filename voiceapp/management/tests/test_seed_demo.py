"""The demo organization can be made again and again."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from agents.call_page.models import CallAccess, CallPage
from agents.catalog.models import Item, Menu
from agents.catalog.queries import load_catalog
from agents.hours.queries import is_open
from agents.organizations.models import Membership, Organization
from sessions.alerts.models import Alert
from sessions.appointments.queries import load_calendar
from sessions.messages.models import OutboxMessage
from sessions.messages.texts.models import Text
from sessions.orders.pricing import Totals, totals_of
from sessions.orders.services.drafts import tax_rule
from sessions.orders.services.transfer_targets import people_of
from telephony.twilio.models import PhoneNumber
from telephony.twilio.transfers.models import Transfer, TransferAttempt
from telephony.twilio.voicemail.models import Voicemail
from voiceapp.management.demo.plan import APPOINTMENTS, DAYS
from voiceapp.providers.webhook_signature import new_secret

pytestmark = pytest.mark.django_db


def seed(**options: object) -> dict[str, str]:
    out = StringIO()
    call_command("seed_demo", "--json", stdout=out, **options)
    printed: dict[str, str] = json.loads(out.getvalue())
    return printed


def test_a_second_run_makes_nothing_twice() -> None:
    first = seed()
    assert seed() == first
    assert Organization.objects.count() == Menu.objects.count() == PhoneNumber.objects.count() == 1


def test_visitors_may_call_the_demo_only_where_that_was_asked_for() -> None:
    seed(garage=True)
    assert not CallPage.objects.exists()
    seed(garage=True, open_call_pages=True)
    assert {page.who_may_call for page in CallPage.objects.all()} == {CallAccess.LINK}
    assert CallPage.objects.count() == 2
    CallPage.objects.update(who_may_call=CallAccess.STAFF)
    seed(garage=True, open_call_pages=True)
    assert not any(page.is_public for page in CallPage.objects.all())


def test_a_second_run_keeps_a_changed_menu() -> None:
    seed()
    Item.objects.filter(name="Margherita").update(name="Regina")
    Item.objects.filter(name="Tiramisu").delete()
    seed()
    assert Item.objects.filter(name="Regina").exists()
    assert not Item.objects.filter(name__in=["Margherita", "Tiramisu"]).exists()


def test_the_demo_answers_at_any_hour_and_covers_every_kind_of_choice() -> None:
    organization = Organization.objects.get(pk=seed()["organization_id"])
    now = timezone.now()
    assert is_open(organization, now)
    assert organization.agents.get(is_default=True).published_version is not None
    items = {item.name: item for item in load_catalog(organization.id, now).items}
    assert len(items) >= 15
    assert not items["Calzone"].is_available
    assert items["Lasagne"].count_left == 6
    assert [size.name for size in items["Margherita"].sizes] == ["small", "medium", "large"]
    side_salad = items["Meal Deal"].groups[0].modifiers[1]
    assert [group.name for group in side_salad.groups] == ["Dressing"]


def test_the_orders_address_and_its_secret_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = new_secret()
    monkeypatch.setenv("ORDERS_SECRET", secret)
    for _ in range(2):
        printed = seed(orders_url="http://127.0.0.1:9200/orders")
    endpoint = Organization.objects.get(pk=printed["organization_id"]).webhook_endpoints.get()
    assert endpoint.url == printed["orders_url"] == "http://127.0.0.1:9200/orders"
    assert endpoint.secret == secret
    assert secret not in json.dumps(printed)


def test_a_history_is_made_once_and_adds_up() -> None:
    organization = Organization.objects.get(pk=seed(history=24)["organization_id"])
    assert organization.calls.count() == 24
    seed(history=24)
    assert organization.calls.count() == 24
    orders = list(organization.orders.prefetch_related("lines__modifiers"))
    assert len(orders) > 10
    for order in orders:
        prices = [line.price for line in order.lines.all()]
        # The demo's prices include the tax: it is a part of the total and is not added to it.
        assert Totals(order.subtotal, order.tax, order.total) == totals_of(prices, tax_rule(organization))
        assert order.total == sum(prices)
        assert 0 < order.tax < order.total
    states = set(organization.calls.values_list("state", flat=True))
    assert "completed" in states
    assert states <= {"completed", "missed", "failed"}
    assert not OutboxMessage.objects.exclude(state="done").exists()
    assert {alert.status for alert in organization.alerts.all()} == {Alert.Status.OPEN, Alert.Status.SNOOZED}


def test_examples_fill_pages_once_and_are_sent_nowhere() -> None:
    organization = Organization.objects.get(pk=seed(examples=True)["organization_id"])
    made = {model: model.objects.count() for model in (Membership, Voicemail, Transfer, TransferAttempt, Text)}
    assert all(made.values()), made
    seed(examples=True)
    assert {model: model.objects.count() for model in made} == made
    assert not any(membership.user.has_usable_password() for membership in organization.memberships.all())
    assert not OutboxMessage.objects.exclude(state="done").exists()
    assert [each.talk_s for each in Transfer.objects.order_by("-created_at")] == [53, 53, None]


def test_a_garage_is_made_beside_it_and_offers_times_at_any_hour() -> None:
    printed = seed(garage=True)
    garage = Organization.objects.get(pk=printed["garage"]["organization_id"])  # type: ignore[index]
    assert seed(garage=True) == printed
    assert (Organization.objects.count(), PhoneNumber.objects.count()) == (2, 3)
    providers = {agent.name: (agent.published_version.provider, agent.published_version.fails_over)  # type: ignore[union-attr]
                 for agent in garage.agents.select_related("published_version")}  # fmt: skip
    assert providers == {"Nora": ("vapi", True), "Nora (OpenAI)": ("openai", True)}
    assert garage.phone_numbers.get(label__contains="second").agent == garage.agents.get(name="Nora (OpenAI)")
    assert (garage.trade, garage.takes_orders, is_open(garage, timezone.now())) == ("garage", False, True)
    agent = garage.agents.get(is_default=True)
    assert agent.published_version is not None
    assert {"book_appointment", "transfer_call"} <= set(agent.published_version.tools)
    for service in garage.services.all():
        starts = load_calendar(garage, service, timezone.now()).availability.starts()
        assert len(starts) > 50, service
    booked = list(garage.appointments.order_by("starts_at"))
    assert len({each.starts_at.astimezone(garage.zone).date() for each in booked}) == DAYS
    assert len(booked) > len(APPOINTMENTS)  # on a Saturday fewer people work
    # The scripted caller's time stays free.
    nine = booked[-1].starts_at.astimezone(garage.zone).replace(hour=9, minute=0)
    assert nine in load_calendar(garage, garage.services.get(name="Oil change"), timezone.now()).availability.starts()
    people = people_of(garage, now=timezone.now())
    assert [person.slug for person in people if person.is_there] == ["service-desk", "parts", "billing"]

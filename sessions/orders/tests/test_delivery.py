"""An order is delivered where a zone holds its address, for that zone's fee, from its minimum on."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from agents.delivery.models import DeliverySettings, DeliveryZone, PostcodePlace
from sessions.calls.models import Call
from sessions.messages.models import OutboxMessage
from sessions.orders.board.models import BoardSettings
from sessions.orders.models import Order
from sessions.orders.pricing import TaxRule, Totals, totals_of
from sessions.tests.builders import Phone, make_restaurant
from sessions.tools.briefing import brief

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def call() -> Call:
    """To a restaurant with 10 % tax on top, that delivers to 10115 for 2.50, from 12.00 on, free from 40.00 on."""
    organization, call = make_restaurant()
    settings = DeliverySettings.objects.create(organization=organization)
    DeliveryZone.objects.create(
        settings=settings,
        name="Near",
        postcodes="10115",
        fee=Decimal("2.50"),
        minimum=Decimal(12),
        free_from=Decimal(40),
        minutes=20,
    )
    return call


def address(**values: str) -> dict[str, str]:
    return {"how": "delivery", "postcode": "10115", "street": "12 Main Street", **values}


def test_fee_and_address_are_in_read_back_totals_and_order(call: Call) -> None:
    phone = Phone(call.pk)
    phone.add("Margherita", size="large")
    checked = phone.use("choose_delivery", how="delivery", postcode="101 15")
    assert (checked["ok"], checked["missing"]) == (True, ["street"])
    assert checked["say"].startswith("We deliver to 10115. Delivery is 2 euros 50, from an order of 12 euros on.")
    assert phone.use("choose_delivery", **address(place="Berlin"))["order"]["delivery_fee"] == "2.50"
    said = phone.use("read_back_order")["say"]
    assert "It is delivered to 12 Main Street, 10115 Berlin. Delivery is 2 euros 50." in said
    assert "15 euros 95 with tax" in said  # (12.00 + 2.50) × 1.1
    phone.speaks()
    assert phone.use("submit_order")["ok"]
    order = Order.objects.get()
    assert (order.subtotal, order.delivery_fee, order.tax, order.total) == (
        Decimal("12.00"),
        Decimal("2.50"),
        Decimal("1.45"),
        Decimal("15.95"),
    )
    assert (order.is_delivery, order.address, order.zone) == (True, "12 Main Street, 10115 Berlin", "Near")
    payload = OutboxMessage.objects.filter(about=f"order:{order.pk}").latest("pk").body["data"]
    assert payload["delivery"] == {"street": "12 Main Street", "postcode": "10115", "place": "Berlin", "zone": "Near"}


def test_what_is_not_delivered_is_refused_with_a_way_out(call: Call) -> None:
    phone = Phone(call.pk)
    assert phone.use("choose_delivery", **address(postcode="20095")) == {
        "ok": False,
        "say": "We do not deliver to 20095. You can pick the order up.",
    }
    assert phone.use("choose_delivery", **address(postcode="?!"))["say"] == "What is your postcode?"
    assert "street and house number" in phone.use("choose_delivery", **address(street="Main Street"))["say"]
    PostcodePlace.objects.create(country="DE", postcode="10115", place="Berlin", latitude=52.5, longitude=13.4)
    assert "is in Berlin, not in Hamburg" in phone.use("choose_delivery", **address(place="Hamburg"))["say"]
    assert "do not know the postcode" in phone.use("choose_delivery", **address(postcode="00000"))["say"]
    assert phone.use("choose_delivery", **address(place="Berlin-Mitte"))["ok"]


def test_an_order_below_the_minimum_is_not_placed(call: Call) -> None:
    phone = Phone(call.pk)
    phone.add("Tiramisu")
    phone.use("choose_delivery", **address())
    refused = phone.use("read_back_order")
    assert (refused["ok"], "from 12 euros on, and this is 5 euros" in refused["say"]) == (False, True)
    assert phone.use("choose_delivery", how="pickup")["ok"]
    assert phone.agrees()["ok"]
    assert (Order.objects.get().is_delivery, Order.objects.get().delivery_fee) == (False, Decimal(0))


def test_another_address_or_fee_has_to_be_read_back_again(call: Call) -> None:
    phone = Phone(call.pk)
    phone.add("Margherita", size="large")
    phone.use("choose_delivery", **address())
    phone.use("read_back_order")
    phone.speaks()
    phone.use("choose_delivery", **address(street="14 Main Street"))
    assert not phone.use("submit_order")["ok"]
    phone.use("read_back_order")
    phone.speaks()
    DeliveryZone.objects.update(fee=Decimal("3.00"))
    assert phone.use("submit_order")["say"].startswith("What delivery costs has changed.")
    DeliverySettings.objects.update(is_on=False)
    assert phone.use("read_back_order")["say"].startswith("We do not deliver to 10115.")
    assert not Order.objects.exists()


def test_delivery_is_free_from_a_price_on_and_the_drive_is_added(call: Call) -> None:
    assert call.organization is not None
    BoardSettings.objects.create(organization=call.organization, prep_minutes=30)
    phone = Phone(call.pk)
    phone.add("Margherita", size="large", quantity=4)
    phone.use("choose_delivery", **address())
    said = phone.use("read_back_order")["say"]
    assert "Delivery is free." in said
    assert "It will be with you at about" in said
    phone.speaks()
    phone.use("submit_order")
    order = Order.objects.get()
    assert order.ready_at is not None
    assert 49 < (order.ready_at - timezone.now()).total_seconds() / 60 < 56


def test_an_agent_has_the_tool_only_where_there_is_a_zone(call: Call) -> None:
    assert "## Delivery" in brief(call).instructions
    DeliveryZone.objects.all().delete()
    briefing = brief(call)
    assert "## Delivery" not in briefing.instructions
    assert all(tool["name"] != "choose_delivery" for tool in briefing.tools)


def test_included_tax_is_a_part_of_the_fee_too() -> None:
    rule = TaxRule("EUR", Decimal(19), is_included=True)
    totals = totals_of([Decimal("9.40")], rule, fee=Decimal("2.50"))
    assert totals == Totals(Decimal("9.40"), Decimal("1.90"), Decimal("11.90"), Decimal("2.50"))

"""A returning caller gets the usual: what the number has ordered most often, judged by the menu of now."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from agents.catalog.models import Item, Modifier, Size
from agents.organizations.models import Organization
from agents.privacy.models import PrivacySettings
from sessions.calls.models import Call
from sessions.orders.models import CallerNotRemembered, Order, OrderState
from sessions.orders.services.states import move_order
from sessions.orders.services.usual import WITHIN
from sessions.tests.builders import Phone, make_call, make_restaurant
from sessions.tools.briefing import brief

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
CALLER, OTHER = "+4915112345678", "+4915187654321"


@pytest.fixture
def restaurant() -> tuple[Organization, Call]:
    return make_restaurant()


def ordered(first: Call, *items: dict[str, Any], number: str = CALLER) -> Order:
    """An order of an earlier call of that number."""
    assert first.agent is not None
    phone = Phone(make_call(first.agent, caller_number=number).pk)
    for item in items:
        assert phone.add(**item)["ok"]
    assert phone.agrees()["ok"]
    return Order.objects.latest("number")


def again(first: Call, **values: object) -> Phone:
    """The next call."""
    assert first.agent is not None
    return Phone(make_call(first.agent, **{"caller_number": CALLER, **values}).pk)


PIZZA = {"item": "Margherita", "size": "large", "modifiers": ["extra cheese"]}


def test_the_usual_is_what_was_ordered_most_often_at_the_prices_of_now(restaurant: tuple[Organization, Call]) -> None:
    _, first = restaurant
    for items in ((PIZZA,), ({"item": "Tiramisu"},), (PIZZA,), ({"item": "Panna cotta"},)):
        ordered(first, *items)
    Size.objects.filter(item__name="Margherita", name="large").update(price=Decimal("20.00"))
    phone = again(first)
    assert phone.use("usual_order", do="say")["say"] == "That is one large Margherita with extra cheese."
    taken = phone.use("usual_order", do="take")
    assert (taken["order"]["lines"][0]["price"], len(taken["order"]["lines"])) == ("21.50", 1)
    assert phone.use("usual_order", do="take")["say"] == "That is in your order already."
    assert phone.agrees()["ok"]
    assert Order.objects.latest("number").subtotal == Decimal("21.50")


def test_what_cannot_be_had_any_more_is_named_and_left_out(restaurant: tuple[Organization, Call]) -> None:
    _, first = restaurant
    ordered(first, PIZZA, {"item": "Tiramisu"}, {"item": "Panna cotta"})
    Item.objects.filter(name="Tiramisu").update(is_out=True)
    Modifier.objects.filter(name="extra cheese").delete()
    phone = again(first)
    taken = phone.use("usual_order", do="take")
    assert [line["item"] for line in taken["order"]["lines"]] == ["Panna cotta"]
    assert "no longer comes with extra cheese" in taken["say"]
    assert "Tiramisu is out right now" in taken["say"]
    Item.objects.all().delete()
    assert not again(first).use("usual_order", do="take")["ok"]


def test_only_the_same_number_is_known_and_only_by_orders_that_stand(restaurant: tuple[Organization, Call]) -> None:
    _, first = restaurant
    refused = ordered(first, PIZZA)
    move_order(refused, to=OrderState.REFUSED, reason="Closed")
    old = ordered(first, {"item": "Tiramisu"})
    Order.objects.filter(pk=old.pk).update(created_at=timezone.now() - WITHIN * 1.01)
    ordered(first, PIZZA, number=OTHER)
    assert not again(first).use("usual_order", do="say")["ok"]
    for hidden in ("", "anonymous", f"sip:{OTHER}@example.com", "+266696687"):
        assert not again(first, caller_number=hidden).use("usual_order", do="say")["ok"], hidden
    _, elsewhere = make_restaurant("Elsewhere")
    Call.objects.filter(pk=elsewhere.pk).update(caller_number=OTHER)
    assert not Phone(elsewhere.pk).use("usual_order", do="say")["ok"]
    assert again(first, caller_number=OTHER).use("usual_order", do="say")["ok"]


def test_callers_and_organizations_can_opt_out(restaurant: tuple[Organization, Call]) -> None:
    organization, first = restaurant
    ordered(first, PIZZA)
    phone = again(first)
    assert "usual_order" in [tool["name"] for tool in brief(first).tools]
    assert phone.use("usual_order", do="forget")["ok"]
    assert not again(first).use("usual_order", do="say")["ok"]
    assert CallerNotRemembered.objects.get().number == CALLER
    CallerNotRemembered.objects.all().delete()
    assert again(first).use("usual_order", do="say")["ok"]
    PrivacySettings.objects.create(organization=organization, remembers_callers=False)
    assert not again(first).use("usual_order", do="say")["ok"]
    assert "usual_order" not in [tool["name"] for tool in brief(first).tools]

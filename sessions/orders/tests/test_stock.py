"""Counts of the menu: lowered and raised by the difference, never below zero, never where nothing is counted."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from django.db import transaction

from agents.catalog.models import Item, Modifier, Size
from agents.catalog.offers import Counted
from agents.tests.builders import item_named
from sessions.orders.models import Order, OrderLine, OrderModifier
from sessions.orders.services.stock import SoldOut, held_by, move_stock
from sessions.tests.builders import Phone, make_restaurant

pytestmark = pytest.mark.django_db


def test_an_order_holds_its_items_sizes_and_modifiers_times_the_line() -> None:
    _, call = make_restaurant()
    phone = Phone(call.pk)
    phone.add("Margherita", size="large", quantity=2, modifiers=["olives", "olives"])
    phone.agrees()
    margherita = Item.objects.get(name="Margherita")
    assert held_by(Order.objects.get()) == Counter(
        {
            Counted("item", margherita.pk): 2,
            Counted("size", Size.objects.get(item=margherita, name="large").pk): 2,
            Counted("modifier", Modifier.objects.get(name="thin crust").pk): 2,
            Counted("modifier", Modifier.objects.get(name="olives").pk): 4,
        }
    )


def test_a_line_that_names_no_row_holds_nothing() -> None:
    organization, call = make_restaurant()
    order = Order.objects.create(
        organization=organization, call=call, number=1, currency="EUR", subtotal=1, tax=0, total=1
    )
    line = OrderLine.objects.create(order=order, position=1, item="Soup", quantity=1, unit_price=1, price=1)
    OrderModifier.objects.create(line=line, group="Bread", name="roll", price=Decimal(0))
    assert held_by(order) == Counter()


def test_only_the_difference_moves_and_only_where_it_is_counted() -> None:
    organization, _ = make_restaurant()
    counted, other = item_named(organization, "Tiramisu"), item_named(organization, "Panna cotta")
    Item.objects.filter(pk=counted.pk).update(count_left=2)
    one, two = Counted("item", counted.pk), Counted("item", other.pk)
    move_stock(taken=Counter({one: 5, two: 3}), given_back=Counter({one: 4}))
    assert list(Item.objects.filter(pk__in=[counted.pk, other.pk]).values_list("count_left", flat=True)) == [1, None]
    move_stock(taken=Counter({one: 1}), given_back=Counter({one: 1, two: 9}))
    move_stock(taken=Counter(), given_back=Counter({one: 2, two: 1}))
    assert list(Item.objects.filter(pk__in=[counted.pk, other.pk]).values_list("count_left", flat=True)) == [3, None]


def test_a_count_that_does_not_suffice_undoes_what_was_moved_before() -> None:
    organization, _ = make_restaurant()
    first, second = item_named(organization, "Tiramisu"), item_named(organization, "Panna cotta")
    Item.objects.filter(pk__in=[first.pk, second.pk]).update(count_left=1)
    taken = Counter({Counted("item", first.pk): 1, Counted("item", second.pk): 2})
    with pytest.raises(SoldOut), transaction.atomic():
        move_stock(taken=taken, given_back=Counter())
    assert set(Item.objects.filter(pk__in=[first.pk, second.pk]).values_list("count_left", flat=True)) == {1}

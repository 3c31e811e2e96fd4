"""Who moved an order: two people at one order, the way back, and what is promised to the customer."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from agents.catalog.models import Item
from agents.organizations.models import Organization
from sessions.calls.models import Call
from sessions.moves import UNDO_WITHIN
from sessions.orders.board.models import BoardSettings
from sessions.orders.board.services import set_busy, set_prep_minutes
from sessions.orders.board.times import ready_at_now, ready_sentence, waiting_block
from sessions.orders.models import Order, OrderEvent, OrderLine, OrderState
from sessions.orders.services.states import move_order, undo_move
from sessions.tests.builders import Phone, make_restaurant
from sessions.tools.briefing import brief
from voiceapp.core.errors import ApplicationError

from .test_alarms import placed

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def order() -> Order:
    return placed()


def test_the_second_of_two_people_learns_who_was_faster(order: Order) -> None:
    move_order(order, to=OrderState.ACCEPTED, by="mia", seen="submitted")
    with pytest.raises(ApplicationError, match=r"^mia accepted it at .*: Order 1 is accepted now"):
        move_order(Order.objects.get(), to=OrderState.REFUSED, by="ben", reason="Busy", seen="submitted")
    # Possible by the table, but not what ben has seen.
    with pytest.raises(ApplicationError, match="mia accepted it"):
        move_order(Order.objects.get(), to=OrderState.READY, by="ben", seen="submitted")
    assert [(event.by, event.after) for event in OrderEvent.objects.all()] == [("mia", "accepted")]


def test_a_move_is_undone_once_by_anybody_for_ten_minutes(order: Order) -> None:
    item = Item.objects.get(name="Tiramisu")
    Item.objects.update(count_left=1)
    OrderLine.objects.update(item_id=item.pk, quantity=1)
    event = move_order(order, to=OrderState.REFUSED, by="mia", reason="Sold out")
    assert Item.objects.get(pk=item.pk).count_left == 2
    with pytest.raises(ApplicationError, match="more than 10 minutes ago"):
        undo_move(order, event_id=event.pk, by="ben", now=timezone.now() + UNDO_WITHIN + dt.timedelta(seconds=1))
    undo_move(order, event_id=event.pk, by="ben")
    order.refresh_from_db()
    assert (order.state, order.reason, Item.objects.get(pk=item.pk).count_left) == (OrderState.SUBMITTED, "", 1)
    with pytest.raises(ApplicationError, match="ben put it back to submitted"):
        undo_move(order, event_id=event.pk, by="mia")


def test_what_was_sold_since_cannot_be_taken_back_by_an_undo(order: Order) -> None:
    OrderLine.objects.update(item_id=Item.objects.get(name="Tiramisu").pk)
    event = move_order(order, to=OrderState.CANCELED, by="mia", reason="Customer")
    Item.objects.update(count_left=0)
    with pytest.raises(ApplicationError, match="sold since"):
        undo_move(order, event_id=event.pk)
    assert Order.objects.get().state == OrderState.CANCELED


def test_callers_hear_the_preparation_time_and_a_longer_one_while_the_kitchen_is_busy(order: Order) -> None:
    organization, now = order.organization, dt.datetime(2026, 12, 1, 17, 2, tzinfo=dt.UTC)
    assert ready_at_now(organization, now) is None
    assert waiting_block(organization, now) == ""
    set_prep_minutes(organization, 20)
    assert ready_sentence(organization, ready_at_now(organization, now)) == "It will be ready at about 6:25 pm."
    assert "in about 20 minutes" in waiting_block(organization, now)
    set_busy(organization, for_minutes=60, now=now)
    assert ready_sentence(organization, ready_at_now(organization, now)) == "It will be ready at about 6:40 pm."
    assert "in about 35 minutes. The kitchen is very busy." in waiting_block(organization, now)
    later = now + dt.timedelta(minutes=61)
    assert "in about 20 minutes" in waiting_block(organization, later)
    for minutes in (0, 241):
        with pytest.raises(ApplicationError):
            set_prep_minutes(organization, minutes)
    assert BoardSettings.objects.get().prep_minutes == 20


@pytest.mark.parametrize(("now", "said"), [("17:02", "6:25 pm"), ("22:40", "midnight")])
def test_the_agent_says_the_time_in_the_read_back_the_confirmation_and_its_instructions(now: str, said: str) -> None:
    with time_machine.travel(f"2026-12-01T{now}:00Z", tick=False):
        organization, call = make_restaurant()
        set_prep_minutes(organization, 20)
        phone = Phone(call.pk)
        phone.add("Tiramisu")
        ready = f"It will be ready at about {said}."
        assert phone.use("read_back_order")["say"].endswith(f" {ready} Is that right?")
        phone.speaks()
        assert phone.use("submit_order")["say"].endswith(f" {ready}")
        assert ready_sentence(organization, Order.objects.get().ready_at) == ready
        assert "## Preparation time" in brief(call).instructions
        Organization.objects.update(takes_orders=False)
        assert "## Preparation time" not in brief(Call.objects.get()).instructions

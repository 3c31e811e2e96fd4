"""The order board's page, its feed and its buttons, by role."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from agents.organizations.models import Membership
from sessions.orders.board.models import AlarmState, BoardSettings, OrderAlarm
from sessions.orders.models import Order, OrderState

from .world import World

pytestmark = pytest.mark.embedded


def url(order: Order, name: str = "", *args: Any) -> str:
    return reverse(f"order-board{name}", args=(order.organization_id, *args))


def cards(client: Client, order: Order) -> tuple[dict[str, Any], dict[str, Any]]:
    """The card of the order, and the board's own event, as a page that polls gets them."""
    events = client.get(url(order, "-feed"), {"poll": "1"}).json()["events"]
    return events[0]["data"], events[-1]["data"]


def sign_in(harbour: World, role: str) -> Client:
    user = User.objects.create_user(role, is_staff=True)
    Membership.objects.create(organization=harbour.organization, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def test_a_card_shows_allergies_first_and_escapes_names(client_of_alice: Client, harbour: World) -> None:
    order = harbour[Order]
    Order.objects.update(note="Nut allergy!", customer_name="<b>Ada</b>")
    order.lines.update(note="no onions")
    OrderAlarm.objects.create(order=order, by="call", name="Chef", number="+4930", state=AlarmState.NOT_ANSWERED)
    card, board = cards(client_of_alice, order)
    html = card["html"]
    assert html.index("Nut allergy!") < html.index("no onions") < html.index("2 × ")
    assert "&lt;b&gt;Ada" in html
    assert "did not answer" in html
    assert (card["column"], board["orders"]) == ("new", [str(order.pk)])


def test_moves_undo_and_refusals_come_back_as_sentences(client_of_alice: Client, harbour: World) -> None:
    order = harbour[Order]
    move, undo = url(order, "-move", order.pk), url(order, "-undo", order.pk)
    assert client_of_alice.post(move, {"to": "accepted", "seen": "submitted"}).json() == {
        "message": "Order 1 is accepted."
    }
    late = client_of_alice.post(move, {"to": "refused", "seen": "submitted", "reason": "Busy"})
    assert (late.status_code, "alice accepted it" in late.json()["message"]) == (409, True)
    event = order.events.get()
    assert f'data-event="{event.pk}"' in cards(client_of_alice, order)[0]["html"]
    assert "again" in client_of_alice.post(undo, {"event": event.pk}).json()["message"]
    assert client_of_alice.post(move, {"to": "refused", "reason": " "}).json()["message"].startswith("Enter a reason")
    for odd in ({"to": "replaced"}, {"to": "accepted\x00"}, {}):
        assert client_of_alice.post(move, odd).status_code == 409
    assert client_of_alice.post(undo, {"event": "9" * 30}).status_code == 409
    order.refresh_from_db()
    assert order.state == OrderState.SUBMITTED


def test_roles_see_what_they_may(client_of_alice: Client, harbour: World, meadow: World) -> None:
    order = harbour[Order]
    Order.objects.update(customer_number="+4915112345678")
    kitchen, viewer = sign_in(harbour, "kitchen"), sign_in(harbour, "viewer")
    assert "tel:+4915112345678" in cards(kitchen, order)[0]["html"]
    seen = cards(viewer, order)[0]["html"]
    assert "15112345678" not in seen
    assert 'data-do="move"' not in seen
    assert viewer.post(url(order, "-move", order.pk), {"to": "accepted"}).status_code == 403
    charlie = Client()
    charlie.force_login(meadow.member("owner", "charlie"))
    for path in (url(order), url(order, "-feed"), url(order, "-feed") + "?poll=1"):
        assert charlie.get(path).status_code == 404
        assert kitchen.get(path).status_code in (200, 503)
    assert Client().get(url(order, "-feed")).status_code == 401
    assert kitchen.get("/admin/", headers={"Referer": "http://testserver/admin/login/"}).status_code == 302


def test_the_preparation_time_is_set_on_the_board(client_of_alice: Client, harbour: World) -> None:
    order = harbour[Order]
    client_of_alice.post(url(order, "-prep"), {"minutes": "25"})
    client_of_alice.post(url(order, "-busy"), {"minutes": "30"})
    board = cards(client_of_alice, order)[1]
    assert (board["prepMinutes"], board["busyUntil"] is None) == (25, False)
    assert client_of_alice.post(url(order, "-prep"), {"minutes": "soon"}).status_code == 409
    client_of_alice.post(url(order, "-busy"), {"minutes": "0"})
    client_of_alice.post(url(order, "-prep"), {"minutes": ""})
    settings = BoardSettings.objects.get(organization=order.organization)
    assert (settings.prep_minutes, settings.busy_until) == (None, None)


def test_fifty_orders_take_as_many_queries_as_one(
    client_of_alice: Client, harbour: World, django_assert_max_num_queries: Any
) -> None:
    order = harbour[Order]
    for number in range(2, 52):
        Order.objects.create(organization=order.organization, number=number, currency="EUR", subtotal=1, tax=0, total=1)
    with django_assert_max_num_queries(15):
        page = client_of_alice.get(url(order))
    events = page.content.decode().partition('id="board-events" type="application/json">')[2].partition("</script>")[0]
    assert len(json.loads(events)) == 52

"""Orders move on, are printed, and what was not delivered is sent again."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from agents.catalog.models import Item
from sessions.messages.models import OutboxMessage
from sessions.orders.models import Order, OrderLine, OrderState
from sessions.orders.services.states import BEFORE, move_order
from voiceapp.core.errors import ApplicationError

from .world import World


def press(client: Client, order: Order, button: str, *, text: str = "") -> str:
    address = reverse("admin:voice_sessions_order_press", args=(order.pk, button))
    return client.post(address, {"text": text}, follow=True).content.decode()


def test_an_order_is_accepted_made_ready_and_done(client_of_alice: Client, harbour: World) -> None:
    order = harbour[Order]
    for button, state in [("accept", "accepted"), ("ready", "ready"), ("done", "done")]:
        assert f"Order 1 is {state}." in press(client_of_alice, order, button)
        order.refresh_from_db()
        assert order.state == state
    assert "no longer possible" in press(client_of_alice, order, "cancel")
    order.refresh_from_db()
    assert order.state == OrderState.DONE


@pytest.mark.parametrize("to", BEFORE)
@pytest.mark.parametrize("state", OrderState)
def test_only_the_table_of_states_lets_an_order_move(state: OrderState, to: OrderState, harbour: World) -> None:
    order = harbour[Order]
    Order.objects.filter(pk=order.pk).update(state=state)
    order.refresh_from_db()
    if state in BEFORE[to]:
        move_order(order, to=to, reason="Sold out")
    else:
        with pytest.raises(ApplicationError):
            move_order(order, to=to, reason="Sold out")
    assert Order.objects.get(pk=order.pk).state == (to if state in BEFORE[to] else state)


def test_a_canceled_order_gives_back_what_it_took_once(client_of_alice: Client, harbour: World) -> None:
    item = harbour[Item]
    Item.objects.filter(pk=item.pk).update(count_left=3)
    OrderLine.objects.update(item_id=item.pk)
    assert "Enter a reason" in press(client_of_alice, harbour[Order], "cancel")
    assert Item.objects.get(pk=item.pk).count_left == 3
    press(client_of_alice, harbour[Order], "cancel", text="Sold out")
    assert "alice canceled it" in press(client_of_alice, harbour[Order], "cancel", text="Sold out")
    assert Item.objects.get(pk=item.pk).count_left == 5


def test_many_are_moved_at_once_and_counted(client_of_alice: Client, harbour: World) -> None:
    done = Order.objects.create(
        organization=harbour.organization, number=2, currency="EUR", subtotal=1, tax=0, total=1, state="done"
    )
    chosen = {"action": "accept_all", "_selected_action": [str(harbour[Order].pk), str(done.pk)], "index": "0"}
    page = client_of_alice.post("/admin/voice_sessions/order/", chosen, follow=True).content.decode()
    assert "1 order is accepted." in page
    assert "1 could not be changed to accepted" in page


def test_the_ticket_has_every_line_and_no_admin_around_it(client_of_alice: Client, harbour: World) -> None:
    address = reverse("admin:voice_sessions_order_ticket", args=(harbour[Order].pk,))
    assert address in client_of_alice.get(address.replace("ticket", "change")).content.decode()
    page = client_of_alice.get(address).content.decode()
    for words in ("No. 1", "2 × <bdi>Harbour item</bdi>", "Harbour modifier", "11.00 EUR", "Harbour order note"):
        assert words in page
    assert "nav" not in page


def test_a_dead_delivery_is_sent_again(client_of_alice: Client, harbour: World) -> None:
    message = harbour[OutboxMessage]
    address = reverse("admin:voice_sessions_outboxmessage_press", args=(message.pk, "retry"))
    client_of_alice.post(address)
    message.refresh_from_db()
    assert message.state == OutboxMessage.State.WAITING
    OutboxMessage.objects.update(state="failed")
    chosen = {"action": "retry_chosen", "_selected_action": [message.pk], "index": "0"}
    page = client_of_alice.post("/admin/voice_sessions/outboxmessage/", chosen, follow=True).content.decode()
    assert "1 delivery retried." in page
    message.refresh_from_db()
    assert message.state == OutboxMessage.State.WAITING


@pytest.mark.parametrize(
    ("state", "error", "words"),
    [
        ("unconfigured", "The endpoint is paused.", "Not configured"),
        ("waiting", "", "Waiting"),
        ("waiting", "webhook endpoint: returned 500", "Retrying, 2 attempts failed"),
        ("failed", "webhook endpoint: returned 404", "Failed"),
        ("done", "", "Delivered"),
    ],
)
def test_a_delivery_is_called_what_it_is_and_can_be_tried_again_from_the_orders_page(
    state: str, error: str, words: str, client_of_alice: Client, harbour: World
) -> None:
    order, message = harbour[Order], harbour[OutboxMessage]
    OutboxMessage.objects.update(state=state, last_error=error, attempts=2, body={"id": str(order.pk)})
    page = client_of_alice.get(reverse("admin:voice_sessions_order_change", args=(order.pk,))).content.decode()
    assert f">{words}</span>" in page
    retry = reverse("admin:voice_sessions_outboxmessage_press", args=(message.pk, "retry"))
    assert (retry in page) == (state != "done")
    assert "order.submitted</a> to Harbour endpoint" in page
    own = client_of_alice.get(reverse("admin:voice_sessions_outboxmessage_change", args=(message.pk,)))
    assert words in own.content.decode()
    assert (retry in own.content.decode()) == (state != "done")
    if state != "done":
        assert client_of_alice.post(retry).status_code == 302
        message.refresh_from_db()
        assert (message.state, message.attempts) == ("waiting", 0)

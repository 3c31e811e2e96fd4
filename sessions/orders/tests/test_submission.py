"""Read-back before submission, exactly once, and what stands against an order."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from agents.catalog.models import Item, Modifier, Size
from agents.organizations.models import Organization
from agents.tests.builders import make_agent
from agents.transfers.models import TransferTarget
from sessions.calls.models import Call, ToolCall
from sessions.calls.outcomes import Transfer
from sessions.messages.models import OutboxMessage
from sessions.orders.models import DraftOrder, Order, OrderState
from sessions.orders.services import submission as submission_module
from sessions.orders.services.stock import SoldOut
from sessions.tests.builders import Phone, make_call, make_restaurant
from sessions.tools.services import run_tool

pytestmark = pytest.mark.django_db


@pytest.fixture
def restaurant() -> tuple[Organization, Call]:
    return make_restaurant()


@pytest.fixture
def phone(restaurant: tuple[Organization, Call]) -> Phone:
    return Phone(restaurant[1].pk)


def test_an_order_that_was_not_read_back_is_refused(phone: Phone) -> None:
    phone.add("Margherita")
    phone.speaks()
    refused = phone.use("submit_order")
    assert (refused["ok"], refused["say"]) == (False, "Let me read the order back to you first.")
    assert not Order.objects.exists()


def test_the_caller_must_have_spoken_since_the_read_back(phone: Phone) -> None:
    phone.add("Margherita")
    phone.use("read_back_order")
    assert phone.use("submit_order")["say"] == "Please tell me first whether the order is right."
    phone.speaks()
    assert phone.use("submit_order")["ok"]


def test_a_change_after_the_read_back_needs_another_one(phone: Phone) -> None:
    phone.add("Margherita")
    phone.use("read_back_order")
    phone.speaks()
    phone.add("Tiramisu")
    assert phone.use("submit_order")["say"] == "Let me read the order back to you first."
    phone.speaks()
    assert not phone.use("submit_order")["ok"]
    assert phone.agrees()["ok"]


def test_a_change_that_changes_nothing_needs_none(phone: Phone) -> None:
    phone.add("Margherita")
    phone.use("read_back_order")
    phone.use("change_order", changes=[{"do": "update", "line": 1, "quantity": 1}])
    phone.speaks()
    assert phone.use("submit_order")["ok"]


def test_an_empty_order_cannot_be_read_back_or_submitted(phone: Phone) -> None:
    assert phone.use("read_back_order")["say"] == "There is nothing in the order yet. What would you like?"
    assert phone.use("submit_order")["say"] == "There is nothing in the order yet. What would you like?"
    phone.add("Margherita")
    assert phone.use("change_order", changes=[{"do": "clear"}])["say"] == "The order is empty now."


def test_submitting_again_returns_the_same_order_and_sentence(phone: Phone) -> None:
    phone.add("Margherita")
    first = phone.agrees()
    phone.speaks()
    second = phone.use("submit_order", customer_name="Somebody else")
    assert (second["say"], second["order_number"]) == (first["say"], 1)
    assert Order.objects.count() == OutboxMessage.objects.count() == 1


def test_a_repeated_request_is_answered_from_the_record(phone: Phone) -> None:
    first = phone.use("change_order", tool_call_id="call_a", changes=[{"do": "add", "item": "Margherita"}])
    again = phone.use("change_order", tool_call_id="call_a", changes=[{"do": "add", "item": "Margherita"}])
    assert again == first
    assert DraftOrder.objects.get().version == 1
    assert ToolCall.objects.count() == 1


def test_a_change_after_submission_replaces_the_order_and_says_so(phone: Phone) -> None:
    Item.objects.filter(name="Tiramisu").update(count_left=2)
    phone.add("Tiramisu", quantity=2)
    phone.agrees()
    assert Item.objects.get(name="Tiramisu").count_left == 0
    phone.add("Margherita")
    phone.use("change_order", changes=[{"do": "update", "line": 1, "quantity": 1}])
    answer = phone.agrees()
    assert answer["say"] == "Your order number 2 replaces order number 1. The total is 15 euros 95."
    first, second = Order.objects.order_by("number")
    assert (first.state, second.state, second.replaces) == (OrderState.REPLACED, OrderState.SUBMITTED, first)
    assert Item.objects.get(name="Tiramisu").count_left == 1
    messages = OutboxMessage.objects.order_by("id")
    assert [message.body["data"]["replaces"] for message in messages] == [None, {"id": str(first.id), "number": 1}]
    assert messages[0].partition_key == messages[1].partition_key
    assert phone.use("submit_order")["say"] == answer["say"]


def test_an_order_in_the_making_is_replaced_but_not_one_that_is_ready(phone: Phone) -> None:
    phone.add("Margherita")
    phone.agrees()
    Order.objects.update(state=OrderState.ACCEPTED)
    phone.add("Tiramisu")
    assert phone.agrees()["ok"]
    Order.objects.filter(number=2).update(state=OrderState.READY)
    phone.add("Tiramisu")
    assert phone.agrees()["say"].startswith("That order is already being handed out.")
    assert Order.objects.count() == 2


def test_an_order_that_was_canceled_is_not_replaced(phone: Phone) -> None:
    phone.add("Margherita")
    phone.agrees()
    Order.objects.update(state=OrderState.CANCELED)
    phone.add("Tiramisu")
    assert phone.agrees()["say"].startswith("Your order number 2 is placed.")


def test_the_kitchen_accepting_the_order_at_the_same_time_wins(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    phone.add("Margherita")
    phone.agrees()
    phone.add("Tiramisu")
    stale = Order.objects.get()
    monkeypatch.setattr(submission_module, "standing_order", lambda call: stale)
    Order.objects.update(state=OrderState.READY)
    assert phone.agrees()["say"].startswith("That order is already being handed out.")
    assert Order.objects.count() == 1


def test_a_changed_price_is_said_and_read_back_again(phone: Phone) -> None:
    phone.add("Margherita", size="large")
    phone.use("read_back_order")
    phone.speaks()
    Size.objects.filter(name="large", item__name="Margherita").update(price=Decimal("13.00"))
    refused = phone.use("submit_order")
    assert refused["say"] == ("The price of the large Margherita has changed. Let me read the order back to you again.")
    assert (refused["ok"], refused["order"]["subtotal"], refused["order"]["version"]) == (False, "13.00", 2)
    assert not Order.objects.exists()
    phone.speaks()
    assert phone.use("submit_order")["say"] == "Let me read the order back to you first."
    assert phone.agrees()["say"] == "Your order number 1 is placed. The total is 14 euros 30."


def test_the_read_back_itself_takes_the_price_of_now(phone: Phone) -> None:
    phone.add("Tiramisu")
    Item.objects.filter(name="Tiramisu").update(price=Decimal("6.00"))
    assert phone.use("read_back_order")["order"]["total"] == "6.60"
    phone.speaks()
    assert phone.use("submit_order")["ok"]


def test_what_ran_out_meanwhile_is_refused_with_an_alternative(phone: Phone) -> None:
    phone.add("Tiramisu")
    phone.use("read_back_order")
    phone.speaks()
    Item.objects.filter(name="Tiramisu").update(is_out=True)
    sentence = "The Tiramisu is out right now. Would you like the Panna cotta instead?"
    assert phone.use("submit_order")["say"] == sentence
    assert phone.use("read_back_order")["say"] == sentence
    phone.use("change_order", changes=[{"do": "update", "line": 1, "item": "Panna cotta"}])
    assert phone.agrees()["ok"]


def test_every_count_is_lowered_and_none_below_zero(phone: Phone, restaurant: tuple[Organization, Call]) -> None:
    Item.objects.filter(name="Margherita").update(count_left=5)
    Size.objects.filter(name="large").update(count_left=4)
    Modifier.objects.filter(name="extra cheese").update(count_left=6)
    phone.add("Margherita", size="large", quantity=3, modifiers=["extra cheese", "extra cheese"])
    assert phone.agrees()["ok"]
    assert Item.objects.get(name="Margherita").count_left == 2
    assert Size.objects.get(name="large", item__name="Margherita").count_left == 1
    assert Modifier.objects.get(name="extra cheese").count_left == 0
    other = Phone(make_call(restaurant[1].agent).pk)  # type: ignore[arg-type]
    assert other.add("Margherita", size="large", quantity=2)["say"] == "There is only one large left."
    assert other.add("Margherita", modifiers=["extra cheese"])["say"].startswith("extra cheese is out right now.")


def test_a_call_taking_the_last_one_at_the_same_time_undoes_everything(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    Item.objects.filter(name="Margherita").update(count_left=5)
    phone.add("Margherita")
    phone.add("Tiramisu")

    def sold_out(**_: object) -> None:
        Item.objects.filter(name="Margherita").update(count_left=4)
        raise SoldOut

    monkeypatch.setattr("sessions.orders.services.submission.move_stock", sold_out)
    assert phone.agrees()["say"] == "Something in the order has just run out. Let me look again."
    assert Item.objects.get(name="Margherita").count_left == 5
    assert not Order.objects.exists()


def test_an_item_removed_from_the_menu_after_ordering_gives_nothing_back(phone: Phone) -> None:
    Item.objects.filter(name="Tiramisu").update(count_left=2)
    phone.add("Tiramisu")
    phone.add("Margherita")
    phone.agrees()
    Item.objects.filter(name="Tiramisu").delete()
    phone.use("change_order", changes=[{"do": "remove", "line": 1}])
    assert phone.agrees()["ok"]


def test_a_large_order_is_handed_to_the_person_for_it(phone: Phone, restaurant: tuple[Organization, Call]) -> None:
    organization, _ = restaurant
    Organization.objects.update(largest_order_total=Decimal("20.00"))
    phone.add("Margherita", quantity=2)
    answer = phone.use("read_back_order")
    assert answer["say"] == "An order of this size is taken by a person, and nobody is here now. Please call again."
    assert phone.results.pop().then is None
    for slug, is_fallback in (("office", False), ("manager", True)):
        TransferTarget.objects.create(
            organization=organization, slug=slug, name=slug.title(), number="+4930123456", is_fallback=is_fallback
        )
    assert phone.use("read_back_order")["say"].endswith("I will connect you to Manager.")
    assert phone.results[-1].then == Transfer("manager")
    phone.speaks()
    assert phone.use("submit_order")["transfer_to"] == "manager"
    TransferTarget.objects.filter(slug="manager").update(is_fallback=False)
    phone.use("submit_order")
    assert phone.results[-1].then == Transfer("office")
    assert not Order.objects.exists()


def test_a_large_order_from_a_browser_is_handed_to_nobody(phone: Phone, restaurant: tuple[Organization, Call]) -> None:
    organization, call = restaurant
    Organization.objects.update(largest_order_total=Decimal("20.00"))
    Call.objects.filter(pk=call.pk).update(kind="browser")
    TransferTarget.objects.create(organization=organization, slug="office", name="Office", number="+4930123456")
    phone.add("Margherita", quantity=2)
    answer = phone.use("read_back_order")
    assert answer["say"].startswith("An order of this size is taken by a person. I cannot connect you to a person")
    assert phone.results[-1].then is None


def test_an_order_of_exactly_the_largest_total_is_taken(phone: Phone) -> None:
    Organization.objects.update(largest_order_total=Decimal("5.50"))
    phone.add("Tiramisu")
    assert phone.agrees()["ok"]


def test_an_organization_that_stopped_taking_orders_takes_none(phone: Phone) -> None:
    phone.add("Margherita")
    phone.use("read_back_order")
    phone.speaks()
    Organization.objects.update(takes_orders=False)
    for name in ("submit_order", "read_back_order"):
        assert phone.use(name)["say"] == "We do not take orders on the phone right now."
    assert phone.add("Tiramisu")["say"] == "We do not take orders on the phone right now."


def test_numbers_count_up_in_each_organization(restaurant: tuple[Organization, Call]) -> None:
    _, call = restaurant
    agent = call.agent
    assert agent is not None
    other_organization, other_call = make_restaurant("Charlie's Diner")
    numbers = []
    for each in (call, make_call(agent), other_call, make_call(agent)):
        phone = Phone(each.pk)
        phone.add("Margherita")
        numbers.append(phone.agrees()["order_number"])
    assert numbers == [1, 2, 1, 3]
    assert other_organization.orders.count() == 1


def test_a_nested_modifier_is_written_under_its_parent(phone: Phone) -> None:
    phone.add("Meal deal", modifiers=["side salad", "vinaigrette"])
    phone.agrees()
    line = Order.objects.get().lines.get()
    parents = {modifier.name: modifier.parent and modifier.parent.name for modifier in line.modifiers.all()}
    assert parents == {"side salad": None, "vinaigrette": "side salad"}
    assert OutboxMessage.objects.get().body["data"]["lines"][0]["modifiers"][1]["under"] == "side salad"


def test_the_tools_of_one_call_never_reach_another_organizations_menu(restaurant: tuple[Organization, Call]) -> None:
    other, _ = make_restaurant("Charlie's Diner")
    Item.objects.filter(category__menu__organization=other, name="Tiramisu").update(name="Secret cake")
    phone = Phone(restaurant[1].pk)
    assert phone.add("Secret cake")["say"].startswith("I cannot find “Secret cake” on the menu.")
    assert phone.use("look_up_items", query="Secret cake")["items"] == []


def test_a_call_without_an_agent_version_uses_every_tool() -> None:
    organization, call = make_restaurant()
    Call.objects.filter(pk=call.pk).update(agent_version=None)
    assert Phone(call.pk).add("Margherita")["ok"]
    assert organization.calls.count() == 1


def test_a_tool_that_the_agent_was_not_given_is_refused() -> None:
    _, call = make_restaurant()
    agent = make_agent(call.organization, name="Mute", is_default=False, tools=["end_call"])  # type: ignore[arg-type]
    phone = Phone(make_call(agent).pk)
    assert phone.add("Margherita")["say"] == "I cannot do that on this line."
    assert phone.use("launch_rocket")["say"] == "I cannot do that on this line."
    assert phone.use("end_call")["ok"]


def test_an_unknown_call_is_refused() -> None:
    result = run_tool(Call(organization=None).pk, name="end_call", arguments="{}", tool_call_id="x", caller_turns=1)
    assert json.loads(result.output)["ok"] is False
    assert not ToolCall.objects.exists()

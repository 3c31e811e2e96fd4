"""Looking up, transferring, hours, ending: what the caller hears and what happens next."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from django.utils import timezone

from agents.catalog.models import Item, Size
from agents.hours.models import OpeningHours, TransferHours
from agents.organizations.models import Organization
from agents.transfers.models import TransferTarget
from sessions.calls.models import Call, ToolCall
from sessions.calls.outcomes import EndCall, Transfer
from sessions.tests.builders import Phone, make_restaurant
from sessions.tools.registry import TOOLS
from voiceapp.simulators.openai.validation import check_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def restaurant() -> tuple[Organization, Call]:
    return make_restaurant()


@pytest.fixture
def phone(restaurant: tuple[Organization, Call]) -> Phone:
    return Phone(restaurant[1].pk)


def make_target(organization: Organization, slug: str = "front-desk") -> TransferTarget:
    name = slug.replace("-", " ").capitalize()
    return TransferTarget.objects.create(organization=organization, slug=slug, name=name, number="+4930123456")


def test_the_model_sees_these_functions() -> None:
    """Changes of the schemas are deliberate, also when msgspec, which generates them, is updated."""
    stored = json.loads((Path(__file__).parent / "data" / "functions.json").read_text())
    assert {name: tool.as_function() for name, tool in TOOLS.items()} == stored


def test_every_schema_is_closed_and_has_its_properties_described() -> None:
    def objects(schema: object) -> list[dict[str, object]]:
        if isinstance(schema, list):
            return [found for part in schema for found in objects(part)]
        if not isinstance(schema, dict):
            return []
        below = [found for part in schema.values() for found in objects(part)]
        return [schema, *below] if schema.get("type") == "object" else below

    for name, tool in TOOLS.items():
        function = tool.as_function()
        assert (function["type"], function["name"]) == ("function", name)
        assert function["description"].endswith(".")
        for schema in objects(function["parameters"]):
            properties = schema["properties"]
            assert schema["additionalProperties"] is False
            assert isinstance(properties, dict)
            assert set(schema.get("required", [])) <= set(properties)  # type: ignore[call-overload]


def test_an_item_is_found_with_its_sizes_options_and_prices(phone: Phone) -> None:
    answer = phone.use("look_up_items", query="margherita")
    assert answer["say"] == (
        "There is the Margherita, small for 7 euros 50, medium for 9 euros 50 or large for 12 euros."
    )
    (item,) = answer["items"]
    assert [(size["name"], size["price"], size["is_default"]) for size in item["sizes"]] == [
        ("small", "7.50", False),
        ("medium", "9.50", True),
        ("large", "12.00", False),
    ]
    assert item["groups"][1]["choose_at_most"] == 3
    assert item["groups"][1]["modifiers"][0] == {
        "name": "extra cheese",
        "price": "1.50",
        "is_available": True,
        "is_default": False,
    }


def test_a_heading_finds_what_is_under_it(phone: Phone) -> None:
    Item.objects.filter(name="Tiramisu").update(is_out=True)
    assert phone.use("look_up_items", query="desserts")["say"] == (
        "There is the Tiramisu, which is out right now, the Panna cotta for 4 euros 50."
    )


def test_a_negation_is_looked_up_as_a_negation(phone: Phone) -> None:
    Item.objects.filter(name="Panna cotta").update(description="with raspberries, no gluten")
    Item.objects.filter(name="Tiramisu").update(description="with eggs, nuts and gluten")
    assert [item["name"] for item in phone.use("look_up_items", query="gluten free")["items"]] == ["Panna cotta"]
    assert [item["name"] for item in phone.use("look_up_items", query="glutenfrei")["items"]] == ["Panna cotta"]
    assert phone.use("look_up_items", query="without nuts")["items"] == []


def test_namesakes_are_listed_with_their_headings(phone: Phone) -> None:
    twin = Item.objects.get(name="Tiramisu")
    twin.pk, twin.category = None, Item.objects.get(name="Meal deal").category
    twin.save()
    said = phone.use("look_up_items", query="tiramisu")["say"]
    assert said == "There is the Tiramisu under Deals for 5 euros, the Tiramisu under Desserts for 5 euros."
    asked = phone.add("Tiramisu")
    assert asked["say"] == "Do you mean the Tiramisu under Deals or the Tiramisu under Desserts?"
    assert phone.add("Tiramisu from the desserts")["ok"]


def test_a_word_of_the_description_finds_it(phone: Phone) -> None:
    Item.objects.filter(name="Panna cotta").update(description="with raspberries, no gluten")
    assert [item["name"] for item in phone.use("look_up_items", query="raspberry")["items"]] == ["Panna cotta"]


def test_without_a_query_the_headings_are_listed(phone: Phone) -> None:
    assert phone.use("look_up_items", query="")["say"] == "We have Pizzas, Deals or Desserts."


def test_what_is_not_there_is_said(phone: Phone) -> None:
    assert phone.use("look_up_items", query="sushi") == {
        "ok": False,
        "say": "I cannot find “sushi” on the menu.",
        "items": [],
    }


def test_only_sizes_that_are_there_are_offered(phone: Phone) -> None:
    Size.objects.filter(item__name="Funghi", name="small").update(is_out=True)
    assert "small" not in phone.use("look_up_items", query="funghi")["say"]


def test_a_transfer_goes_to_a_configured_target(phone: Phone, restaurant: tuple[Organization, Call]) -> None:
    make_target(restaurant[0])
    answer = phone.use("transfer_call", tool_call_id="call_t", target="front-desk", reason="a complaint")
    assert answer == {"ok": True, "say": "I will connect you to Front desk now.", "transfer_to": "front-desk"}
    assert phone.results[-1].then == Transfer("front-desk")
    phone.use("transfer_call", tool_call_id="call_t", target="front-desk")
    assert phone.results[-1].then == Transfer("front-desk")


def test_a_transfer_never_goes_to_a_number_or_a_stranger(phone: Phone, restaurant: tuple[Organization, Call]) -> None:
    stranger, _ = make_restaurant("Charlie's Diner")
    make_target(stranger, "owner")
    make_target(restaurant[0])
    for target in ("+4930123456", "owner", "Front desk", ""):
        answer = phone.use("transfer_call", target=target)
        assert answer == {"ok": False, "say": "I can connect you to Front desk."}
        assert phone.results[-1].then is None


def test_a_person_who_is_not_there_is_not_rung(phone: Phone, restaurant: tuple[Organization, Call]) -> None:
    target = make_target(restaurant[0])
    yesterday = (timezone.now().astimezone(restaurant[0].zone) - dt.timedelta(days=1)).weekday()
    TransferHours.objects.create(target=target, weekday=yesterday, opens_at=dt.time(9), closes_at=dt.time(9, 1))
    answer = phone.use("transfer_call", target="front-desk")
    assert answer["say"].startswith("Front desk is not there now, but again on ")
    assert phone.results[-1].then is None
    assert phone.use("transfer_call", target="x")["say"] == "There is nobody here whom I can connect you to."


def test_the_hours_are_answered(phone: Phone, restaurant: tuple[Organization, Call]) -> None:
    assert phone.use("get_opening_hours")["say"] == "We are open around the clock."
    OpeningHours.objects.create(organization=restaurant[0], weekday=0, opens_at=dt.time(11), closes_at=dt.time(22))
    answer = phone.use("get_opening_hours")
    assert answer["week"].startswith("Monday 11 am to 10 pm; Tuesday closed;")
    assert isinstance(answer["is_open"], bool)


def test_a_repeated_farewell_still_ends_the_call(phone: Phone) -> None:
    phone.use("end_call", tool_call_id="call_e")
    phone.use("end_call", tool_call_id="call_e")
    assert [result.then for result in phone.results] == [EndCall(), EndCall()]


def test_what_a_tool_did_is_recorded(phone: Phone) -> None:
    phone.turns = 7
    phone.add("Tiramisu")
    phone.add("Nothing")
    done, refused = ToolCall.objects.order_by("id")
    assert (done.name, done.outcome, done.turn) == ("change_order", "done", 7)
    assert done.arguments == {"changes": [{"do": "add", "item": "Tiramisu"}]}
    assert done.output["order"]["total"] == "5.50"
    assert (refused.outcome, refused.output["ok"]) == ("refused", False)


def test_every_tool_has_the_form_that_openai_takes() -> None:
    check_session({"type": "realtime", "tools": [tool.as_function() for tool in TOOLS.values()]})

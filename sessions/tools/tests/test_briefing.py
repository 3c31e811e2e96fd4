"""The briefing of an agent before it answers."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from agents.hours.models import OpeningHours, TransferHours
from agents.organizations.trades import DELIVERY_TOOL
from agents.transfers.models import TransferTarget
from sessions.tests.builders import make_restaurant
from sessions.tools.briefing import brief, brief_agent
from sessions.tools.registry import TOOLS
from voiceapp.core.errors import ApplicationError

pytestmark = pytest.mark.django_db

MENU = """## Menu (prices in EUR)
# Pizzas
ITEM Margherita | said: margarita, plain pizza | price: 9.50 | sizes: small 7.50, medium* 9.50, large 12.00 \
| group Crust (choose 1): thin crust*, deep dish +2.00 \
| group Extras (choose 0 to 3): extra cheese (said: more cheese; double cheese) +1.50, olives +1.00
ITEM Funghi | price: 10.50 | sizes: small 8.50, medium* 10.50, large 13.00 \
| group Crust (choose 1): thin crust*, deep dish +2.00 \
| group Extras (choose 0 to 3): extra cheese (said: more cheese; double cheese) +1.50, olives +1.00
# Deals
ITEM Meal deal | price: 14.00 | group Side (choose 1): fries*, side salad +1.00 \
| group Dressing of Side/side salad (choose 1): ranch*, vinaigrette
# Desserts
ITEM Tiramisu | price: 5.00
ITEM Panna cotta | price: 4.50"""


def test_the_instructions_hold_prompt_conduct_hours_and_menu() -> None:
    _, call = make_restaurant()
    briefing = brief(call)
    assert briefing.instructions.startswith("You are Giulia.\n\n## How to speak\n")
    assert MENU in briefing.instructions
    assert "We are open around the clock." in briefing.instructions
    assert "## People" not in briefing.instructions
    assert [tool["name"] for tool in briefing.tools] == [name for name in TOOLS if name != DELIVERY_TOOL]
    assert {"Margherita", "margarita", "side salad", "vinaigrette", "double cheese", "large"} <= set(briefing.keywords)
    assert briefing.call_id == str(call.pk)


def test_an_item_that_is_out_is_marked() -> None:
    organization, call = make_restaurant()
    organization.menus.get().categories.get(name="Desserts").items.filter(name="Tiramisu").update(count_left=0)
    assert "ITEM Tiramisu | price: 5.00 | out\n" in brief(call).instructions


def test_an_item_whose_sizes_are_all_out_is_out() -> None:
    organization, call = make_restaurant()
    for size in organization.menus.get().categories.get(name="Pizzas").items.get(name="Funghi").sizes.all():
        size.is_out = True
        size.save()
    line = next(line for line in brief(call).instructions.splitlines() if line.startswith("ITEM Funghi"))
    assert line.endswith(" | out")


def test_only_people_who_are_there_are_targets_and_of_the_others_it_is_said_when() -> None:
    organization, call = make_restaurant()
    TransferTarget.objects.create(
        organization=organization, slug="front-desk", name="Front desk", number="+4930123456", when_to_use="complaints"
    )
    office = TransferTarget.objects.create(
        organization=organization, slug="office", name="Office", number="+4930123457"
    )
    monday = dt.datetime(2026, 3, 2, 20, 0, tzinfo=dt.UTC)
    TransferHours.objects.create(target=office, weekday=1, opens_at=dt.time(9), closes_at=dt.time(17))
    assert call.agent_version is not None
    instructions = brief_agent(call.agent_version, organization, call_id="x", now=monday).instructions
    assert instructions.endswith(
        "## People\nTARGET front-desk: Front desk, for complaints\nOffice is not there now, but again tomorrow at 9 am."
    )


def test_who_calls_from_a_browser_is_connected_to_nobody() -> None:
    organization, call = make_restaurant()
    TransferTarget.objects.create(organization=organization, slug="front-desk", name="Front desk", number="+4930123456")
    call.kind = "browser"
    instructions = brief(call).instructions
    assert "Nobody can be connected to this caller, who calls from a browser." in instructions
    assert "TARGET" not in instructions


def test_without_orders_there_are_no_order_tools() -> None:
    _, call = make_restaurant(takes_orders=False)
    briefing = brief(call)
    assert {tool["name"] for tool in briefing.tools} == {
        "look_up_items",
        "transfer_call",
        "end_call",
        "get_opening_hours",
    }
    assert "Orders are not taken on the phone now." in briefing.instructions


def test_the_settings_of_the_version_are_passed_in_their_units() -> None:
    _, call = make_restaurant()
    version = call.agent_version
    assert version is not None
    version.reprompt_after_s, version.longest_call_minutes, version.noise_reduction = 9, 12, "near_field"
    version.turn_detection, version.vad_silence_ms = "semantic_vad", 700
    briefing = brief(call)
    assert briefing.limits.reprompt_after_ms == 9_000
    assert briefing.limits.longest_call_ms == 720_000
    assert briefing.noise_reduction == "near_field"
    assert (briefing.turn_detection.kind, briefing.turn_detection.silence_ms) == ("semantic_vad", 700)


def test_a_call_without_a_published_agent_cannot_be_briefed() -> None:
    _, call = make_restaurant()
    call.agent_version = None
    with pytest.raises(ApplicationError):
        brief(call)


def test_local_time_is_that_of_the_organization() -> None:
    organization, call = make_restaurant()
    OpeningHours.objects.create(organization=organization, weekday=0, opens_at=dt.time(11), closes_at=dt.time(22))
    assert call.agent_version is not None
    monday_noon_in_berlin = dt.datetime(2026, 7, 6, 10, 30, tzinfo=dt.UTC)
    instructions = brief_agent(call.agent_version, organization, call_id="x", now=monday_noon_in_berlin).instructions
    assert "Now it is Monday, July 6, 12:30 pm. We are open today until 10 pm." in instructions


def test_a_briefing_reads_the_menu_in_a_fixed_number_of_queries(django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    organization, call = make_restaurant()
    assert call.agent_version is not None
    version = call.agent_version
    with django_assert_max_num_queries(15):
        brief_agent(version, organization, call_id="x", now=timezone.now())

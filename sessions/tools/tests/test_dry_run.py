"""A tool that is tried out answers as in a call, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from pytest_django import Settings

from agents.catalog.models import Item
from agents.configuration.models import Agent
from agents.organizations.trades import Trade
from agents.tests.builders import item_named, make_agent, make_menu, make_organization, make_services
from agents.transfers.models import TransferTarget
from sessions.messages.endpoints.models import WebhookEndpoint
from sessions.messages.texts.models import TextSettings
from sessions.tools import dry_run
from sessions.tools.call_tools import GET_OPENING_HOURS
from sessions.tools.dry_run import TOO_MANY, DryRun
from sessions.tools.registry import EVERY_TOOL
from sessions.tools.tool import Tool
from telephony.twilio.models import PhoneNumber
from voiceapp.providers.webhook_signature import new_secret

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

PIZZA = {"changes": [{"do": "add", "item": "Margherita", "size": "large", "quantity": 2, "modifiers": ["olives"]}]}
# In an order in which each has something to do.
STEPS: list[tuple[str, dict[str, Any]]] = [
    ("get_opening_hours", {}), ("look_up_items", {"query": "pizza"}), ("change_order", PIZZA),
    ("choose_delivery", {"how": "pickup"}), ("read_back_order", {}),
    ("submit_order", {"customer_name": "Alice"}), ("send_text", {"about": "order"}),
    ("look_up_services", {"query": ""}),
    ("find_appointment_times", {"service": "Oil change", "when": "tomorrow"}),
    ("choose_appointment", {"service": "Oil change", "time": "tomorrow at 9", "customer_name": "Alice",
                            "vehicle": "Ford"}),
    ("read_back_appointment", {}), ("book_appointment", {}), ("find_my_appointments", {}),
    ("move_appointment", {"appointment": 1, "time": "tomorrow at 11"}),
    ("move_appointment", {"appointment": 1, "time": "tomorrow at 11"}),
    ("cancel_appointment", {"appointment": 1}), ("stop_recording", {}), ("transfer_call", {"target": "desk"}),
    ("end_call", {}),
]  # fmt: skip


@pytest.fixture
def agent(settings: Settings) -> Agent:
    """Of an organization that sells, books, texts, has webhooks and a person."""
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC" + "1" * 32, "token"
    organization = make_organization()
    PhoneNumber.objects.create(organization=organization, number="+4930123456")
    make_menu(organization)
    make_services(organization)
    Item.objects.filter(pk=item_named(organization, "Margherita").pk).update(count_left=5)
    TextSettings.objects.create(organization=organization, countries="US", menu_url="https://example.com/menu")
    TransferTarget.objects.create(organization=organization, slug="desk", name="Desk", number="+493023125010")
    endpoint = WebhookEndpoint(organization=organization, name="Kitchen", url="https://example.com/orders",
                               events=["order.submitted", "appointment.booked"])  # fmt: skip
    endpoint.secret = new_secret()
    endpoint.save()
    return make_agent(organization, tools=[*Trade.RESTAURANT.tools, *Trade.GARAGE.tools])


def rows() -> dict[str, list[Any]]:
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models()
        if model._meta.managed
    }


@pytest.fixture
def nothing_changes() -> Iterator[None]:
    before, waiting = rows(), len(connection.run_on_commit)
    yield
    after = rows()
    assert {label for label in after if after[label] != before[label]} == set()
    assert len(connection.run_on_commit) == waiting, "something would have left the database"


def dry(agent: Agent) -> DryRun:
    return DryRun(agent, frozenset(EVERY_TOOL), caller_number="+14155550100")


def test_no_tool_leaves_a_row_or_a_message(agent: Agent, nothing_changes: None) -> None:
    run, known = dry(agent), {name for name, _ in STEPS}
    # A new tool is tried out, too, if only with nothing to do.
    steps = [*STEPS, *((name, {}) for name in sorted(set(EVERY_TOOL) - known))]
    for turn, (name, arguments) in enumerate(steps, 1):
        run.run(name, json.dumps(arguments), caller_turns=turn)
    assert [use.name for use in run.uses if use.name in known and not use.is_ok] == []
    assert [(use.name, use.fault) for use in run.uses if use.fault] == []


def test_what_would_come_of_it_is_known(agent: Agent) -> None:
    run = dry(agent)
    for turn, (name, arguments) in enumerate(STEPS[:12], 1):
        run.run(name, json.dumps(arguments), caller_turns=turn)
    assert run.made.order == ("2 × large Margherita with olives, thin crust",)
    assert run.made.total == Decimal("28.60")
    [booked] = run.made.appointments
    assert (booked.service, booked.customer_name, booked.starts_at.hour) == ("Oil change", "Alice", 9)


def test_the_real_stock_is_what_can_be_ordered(agent: Agent) -> None:
    Item.objects.filter(name="Margherita").update(count_left=1)
    use = dry(agent).run("change_order", json.dumps(PIZZA), caller_turns=1)
    assert not use.is_ok
    assert "Margherita" in use.result.output


def test_a_tool_that_the_agent_has_not_is_refused(agent: Agent, nothing_changes: None) -> None:
    use = DryRun(agent, {"end_call"}).run("change_order", json.dumps(PIZZA), caller_turns=1)
    assert not use.is_ok
    assert not use.fault


def test_a_broken_tool_is_named(agent: Agent, monkeypatch: pytest.MonkeyPatch, nothing_changes: None) -> None:
    def broken(request: object) -> None:
        raise RuntimeError("a bug")

    tool: Any = Tool("get_opening_hours", "", GET_OPENING_HOURS.arguments, True, broken)  # type: ignore[arg-type]  # on purpose
    monkeypatch.setattr("sessions.tools.services.EVERY_TOOL", {"get_opening_hours": tool})
    use = dry(agent).run("get_opening_hours", "{}", caller_turns=1)
    assert (use.is_ok, use.fault) == (False, "RuntimeError")


@pytest.mark.parametrize("arguments", ["", "[]", "{", '{"changes": 5}', '{"changes": [{"do": "\\u0000"}]}'])
def test_what_the_model_writes_never_breaks_it(agent: Agent, arguments: str) -> None:
    use = dry(agent).run("change_order", arguments, caller_turns=1)
    assert not use.is_ok
    assert not use.fault


def test_it_ends_after_too_many_uses(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_run, "MOST_USES", 2)
    run = dry(agent)
    for turn in range(1, 4):
        use = run.run("get_opening_hours", "{}", caller_turns=turn)
    assert not use.is_ok
    assert TOO_MANY in use.result.output

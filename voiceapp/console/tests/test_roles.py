"""What each role may do: the table of agents/organizations/access.py, met through the pages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from agents.catalog.models import Category, Item, Menu
from agents.configuration.models import Agent, AgentVersion
from agents.organizations.models import ApiKey, Membership, Organization
from sessions.calls.models import Call, ToolCall, TranscriptLine
from sessions.messages.models import OutboxMessage
from sessions.orders.models import Order, OrderState
from telephony.events.models import ProviderEvent
from telephony.twilio.models import PhoneNumber
from voiceapp.core.phones.numbers import show_number

from .world import World

RECORDS = (Call, TranscriptLine, ToolCall, ProviderEvent, AgentVersion, OutboxMessage, Order)

# The status of the list: who gets in at all.
SEES = {
    "owner": {Organization, Membership, ApiKey, Agent, Menu, Item, PhoneNumber, Call, Order, OutboxMessage},
    "manager": {Organization, Membership, ApiKey, Agent, Menu, Item, PhoneNumber, Call, Order, OutboxMessage},
    "staff": {Organization, Agent, Menu, Item, PhoneNumber, Call, Order, OutboxMessage},
    "kitchen": {Item, Order},
    "viewer": {Organization, Membership, Agent, Menu, Item, PhoneNumber, Call, Order, OutboxMessage},
}
ADDS = {
    "owner": {Membership, ApiKey, Agent, Menu, Item, PhoneNumber},
    "manager": {Membership, ApiKey, Agent, Menu, Item, PhoneNumber},
}


def url(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def as_role(world: World, role: str) -> Client:
    client = Client()
    client.force_login(world.member(role))
    return client


@pytest.mark.parametrize("role", SEES)
def test_each_role_sees_its_pages_and_no_others(role: str, harbour: World) -> None:
    client = as_role(harbour, role)
    seen = {model for model in SEES["owner"] if client.get(url(model, "changelist")).status_code == 200}
    assert seen == SEES[role]


@pytest.mark.parametrize("role", SEES)
def test_only_those_who_run_the_place_add_rows(role: str, harbour: World) -> None:
    client = as_role(harbour, role)
    adds = {model for model in SEES["owner"] if client.get(url(model, "add")).status_code == 200}
    assert adds == ADDS.get(role, set())


@pytest.mark.parametrize("role", SEES)
def test_the_sidebar_names_only_what_opens(role: str, harbour: World) -> None:
    client = as_role(harbour, role)
    page = client.get("/admin/").content.decode()
    for model in SEES["owner"]:
        assert (f'href="{url(model, "changelist")}"' in page) == (model in SEES[role])


@pytest.mark.parametrize("role", ["owner", "root"])
@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
def test_records_of_what_happened_cannot_be_changed_or_deleted(role: str, model: type[Model], harbour: World) -> None:
    if role == "root":
        client = Client()
        client.force_login(User.objects.create_superuser("root"))
    else:
        client = as_role(harbour, role)
    before = type(harbour[model])._default_manager.filter(pk=harbour[model].pk).values().get()
    assert client.get(url(model, "add")).status_code == 403
    assert client.post(url(model, "change", harbour[model].pk), {"state": "done", "text": "x"}).status_code == 403
    assert client.post(url(model, "delete", harbour[model].pk), {"post": "yes"}).status_code == 403
    assert type(harbour[model])._default_manager.filter(pk=harbour[model].pk).values().get() == before


@pytest.mark.parametrize(("role", "may"), [("staff", True), ("kitchen", True), ("viewer", False)])
def test_staff_and_kitchen_mark_items_out_and_nothing_else(role: str, may: bool, harbour: World) -> None:
    client, item = as_role(harbour, role), harbour[Item]
    pressed = client.post(url(Item, "press", item.pk, "sold-out"))
    item.refresh_from_db()
    assert (item.is_out, pressed.status_code) == ((True, 302) if may else (False, 403))
    form = {"category": item.category_id, "name": "Renamed", "price": "1", "most_per_order": 1, "count_left": "4",
            "initial-count_left": "", "out_until_0": "", "out_until_1": "",
            "sizes-TOTAL_FORMS": 0, "sizes-INITIAL_FORMS": 0}  # fmt: skip
    assert client.post(url(Item, "change", item.pk), form).status_code == (302 if may else 403)
    item.refresh_from_db()
    assert (item.name, item.price) == ("Harbour item", 5)
    assert item.count_left == (4 if may else None)


@pytest.mark.parametrize(("role", "may"), [("manager", True), ("staff", True), ("kitchen", True), ("viewer", False)])
def test_staff_change_order_states(role: str, may: bool, harbour: World) -> None:
    order = harbour[Order]
    status = as_role(harbour, role).post(url(Order, "press", order.pk, "accept")).status_code
    order.refresh_from_db()
    assert (status, order.state) == ((302, OrderState.ACCEPTED) if may else (403, OrderState.SUBMITTED))


@pytest.mark.parametrize(("role", "answer"), [("manager", 302), ("staff", 403), ("viewer", 403), ("kitchen", 404)])
def test_only_those_who_run_the_place_publish(role: str, answer: int, harbour: World) -> None:
    agent = harbour[Agent]
    status = as_role(harbour, role).post(url(Agent, "press", agent.pk, "publish"), {"text": "New"}).status_code
    assert (status, agent.versions.count()) == (answer, 2 if answer == 302 else 1)


@pytest.mark.parametrize(("role", "sees"), [("owner", True), ("manager", True), ("staff", False), ("viewer", False)])
def test_callers_numbers_are_masked_below_a_manager(role: str, sees: bool, harbour: World) -> None:
    client, call = as_role(harbour, role), harbour[Call]
    for page in (url(Call, "changelist"), url(Call, "change", call.pk)):
        text = client.get(page).content.decode()
        assert (show_number(call.caller_number) in text) == sees
        assert sees or call.caller_number not in text
        assert sees or "…01" in text
    found = client.get(url(Call, "changelist"), {"q": call.caller_number[:-1]}).content.decode()
    assert (str(call.pk) in found) == sees
    assert str(call.pk) in client.get(url(Call, "changelist"), {"q": call.caller_number}).content.decode()


def test_a_role_in_one_organization_is_no_role_in_another(harbour: World, meadow: World) -> None:
    user = harbour.member("owner", "erik")
    Membership.objects.create(organization=meadow.organization, user=user, role="viewer")
    client = Client()
    client.force_login(user)
    assert client.get(url(Item, "change", meadow[Item].pk)).status_code == 200
    assert client.post(url(Item, "press", meadow[Item].pk, "sold-out")).status_code == 403
    client.post(
        url(Item, "changelist"),
        {"action": "sold_out", "_selected_action": [harbour[Item].pk, meadow[Item].pk], "index": "0"},
    )
    assert [Item.objects.get(pk=world[Item].pk).is_out for world in (harbour, meadow)] == [True, False]
    counts = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "_save": "Save"}
    rows = sorted((harbour[Item], meadow[Item]), key=lambda item: item.pk)
    for index, item in enumerate(rows):
        counts |= {f"form-{index}-id": item.pk, f"form-{index}-count_left": 3, f"initial-form-{index}-count_left": ""}
    client.post(url(Item, "changelist"), counts)
    assert Item.objects.get(pk=meadow[Item].pk).count_left is None
    kitchen = Membership.objects.get(user=user, organization=meadow.organization)
    kitchen.role = "kitchen"
    kitchen.save()
    assert client.get(url(Category, "change", meadow[Category].pk)).status_code == 302

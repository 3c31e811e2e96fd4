"""Two people with the same page open: neither overwrites unseen what the other saved."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from agents.catalog.models import Item, ModifierGroup, Size
from agents.configuration.models import Agent, RealtimeEndpoint
from agents.organizations.models import Organization

from .test_buttons_save import Page, open_page, url
from .world import World


@pytest.fixture
def bob(harbour: World) -> Client:
    client = Client()
    client.force_login(harbour.member("manager", "bob"))
    return client


def save(client: Client, row: Any, page: Any, **changed: Any) -> str:
    data = page.posted(_save="Save", **changed)
    return client.post(url(type(row), "change", row.pk), data, follow=True).content.decode()


def test_what_the_other_changed_stays_where_i_changed_something_else(
    client_of_alice: Client, bob: Client, harbour: World
) -> None:
    agent = harbour[Agent]
    hers, his = open_page(client_of_alice, agent), open_page(bob, agent)
    save(client_of_alice, agent, hers, greeting="Ahoy!", tools=["end_call"])
    save(bob, agent, his, prompt="Be brief.")
    agent.refresh_from_db()
    assert (agent.greeting, agent.prompt, agent.tools) == ("Ahoy!", "Be brief.", ["end_call"])


def test_what_both_changed_is_refused_once_with_who_wrote_what(
    client_of_alice: Client, bob: Client, harbour: World
) -> None:
    agent = harbour[Agent]
    his = open_page(bob, agent)
    save(client_of_alice, agent, open_page(client_of_alice, agent), greeting="Ahoy!")
    refused = save(bob, agent, his, greeting="Moin!")
    assert "alice changed this to “Ahoy!” while this page was open" in refused
    assert 'value="Moin!"' in refused
    agent.refresh_from_db()
    assert agent.greeting == "Ahoy!"
    save(bob, agent, Page(refused, "agent_form"))
    agent.refresh_from_db()
    assert agent.greeting == "Moin!"


@pytest.mark.parametrize(
    ("model", "name", "hers", "his"),
    [
        (Item, "price", "5.50", "6.50"),
        (Item, "description", "a", "b"),
        (Organization, "time_zone", "Europe/Paris", "Europe/Rome"),
        (Organization, "prices_include_tax", "on", None),
        (ModifierGroup, "maximum", "3", "4"),
        (Agent, "tools", ["end_call"], ["transfer_call"]),
        (Agent, "vad_threshold", "0.6", "0.7"),
    ],
)
def test_every_kind_of_field_is_minded(
    client_of_alice: Client, bob: Client, harbour: World, model: Any, name: str, hers: Any, his: Any
) -> None:
    row = harbour[model]
    if model is Item:
        Size.objects.all().delete()
    if his is None:  # a box that he ticked and she unticked, meanwhile
        type(row).objects.filter(pk=row.pk).update(**{name: False})
        page = open_page(bob, row)
        save(client_of_alice, row, open_page(client_of_alice, row), **{name: hers})
        row.refresh_from_db()
        assert getattr(row, name) is True
        save(bob, row, page, name="Another name")
        row.refresh_from_db()
        assert (getattr(row, name), row.name) == (True, "Another name")
        return
    page = open_page(bob, row)
    save(client_of_alice, row, open_page(client_of_alice, row), **{name: hers})
    row.refresh_from_db()
    saved = getattr(row, name)
    assert "while this page was open" in save(bob, row, page, **{name: his})
    row.refresh_from_db()
    assert getattr(row, name) == saved
    assert "while this page was open" not in save(bob, row, open_page(bob, row), **{name: his})
    row.refresh_from_db()
    assert getattr(row, name) != saved


def test_rows_in_a_table_are_minded_too(client_of_alice: Client, bob: Client, harbour: World) -> None:
    item, size = harbour[Item], harbour[Size]
    Item.objects.filter(pk=item.pk).update(price=None)
    hers, his = open_page(client_of_alice, item), open_page(bob, item)
    save(client_of_alice, item, hers, **{"sizes-0-price": "8.00"})
    assert "while this page was open" in save(bob, item, his, **{"sizes-0-price": "9.00"})
    save(bob, item, his, **{"sizes-0-name": "grand"})
    size.refresh_from_db()
    assert (size.name, str(size.price)) == ("grand", "8.00")


def test_choices_are_minded_too(client_of_alice: Client, bob: Client, harbour: World) -> None:
    item, group = harbour[Item], harbour[ModifierGroup]
    Item.objects.filter(pk=item.pk).update(price=None)
    other = ModifierGroup.objects.create(menu=group.menu, name="Other")
    item.modifier_groups.clear()
    his = open_page(bob, item)
    save(client_of_alice, item, open_page(client_of_alice, item), choices=[group.pk])
    save(bob, item, his, description="Fresh")
    assert list(item.modifier_groups.all()) == [group]
    assert "changed this to another choice" in save(bob, item, his, choices=[other.pk])
    assert list(item.modifier_groups.all()) == [group]


def test_both_typing_the_same_is_no_conflict(client_of_alice: Client, bob: Client, harbour: World) -> None:
    agent = harbour[Agent]
    his = open_page(bob, agent)
    save(client_of_alice, agent, open_page(client_of_alice, agent), greeting="Ahoy!")
    assert "was changed successfully" in save(bob, agent, his, greeting="Ahoy!")


def test_no_secret_is_shown_in_a_hidden_field(client_of_alice: Client, harbour: World) -> None:
    page = client_of_alice.get(url(RealtimeEndpoint, "change", harbour[RealtimeEndpoint].pk)).content.decode()
    assert harbour[RealtimeEndpoint].api_key not in page
    assert 'name="initial-origin"' in page
    assert "initial-new_key" not in page


def test_a_row_that_the_other_deleted_is_said_and_the_rest_is_kept(
    client_of_alice: Client, bob: Client, harbour: World
) -> None:
    item, size = harbour[Item], harbour[Size]
    Size.objects.create(item=item, name="second", price=7, position=1)
    Item.objects.filter(pk=item.pk).update(price=None)
    his = open_page(bob, item)
    size.delete()
    page = save(bob, item, his, description="Fresh", **{"sizes-0-price": "9.00"})
    assert 'value="Fresh"' in page
    assert "va-errors" in page


def test_save_and_add_another_saves_and_an_error_keeps_what_was_typed(client_of_alice: Client, harbour: World) -> None:
    item = harbour[Item]
    form = Page(client_of_alice.get("/admin/agents/item/add/").content.decode(), "item_form")
    typed = {"category": item.category_id, "name": "Tea", "price": "abc", "_addanother": "Save"}
    page = client_of_alice.post("/admin/agents/item/add/", form.posted(**typed)).content.decode()
    assert 'value="Tea"' in page
    assert 'value="abc"' in page
    answer = client_of_alice.post("/admin/agents/item/add/", form.posted(**{**typed, "price": "3"}))
    assert answer.headers["Location"].endswith("/admin/agents/item/add/")
    assert Item.objects.get(name="Tea").price == 3

"""A history says what was changed from what to what; only what the model or a caller meets is a difference."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from agents.catalog.models import Item
from agents.configuration.admin.differences import differences
from agents.configuration.models import Agent, AgentVersion
from agents.configuration.services import publish_agent
from agents.hours.models import OpeningHours
from agents.organizations.models import Membership

from .world import World


def said() -> str:
    entry = LogEntry.objects.latest("pk")
    return entry.get_change_message()


def form_of(client: Client, name: str, pk: object) -> dict[str, str]:
    """What a browser would send of the page as it is: every field with its value."""
    page = client.get(reverse(f"admin:{name}_change", args=(pk,)))
    form = page.context["adminform"].form
    fields: dict[str, Any] = {}
    for formset in page.context["inline_admin_formsets"]:
        for each in [formset.formset.management_form, *formset.formset.forms]:
            fields |= {bound.html_name: bound.value() for bound in each}
    fields |= {bound.html_name: bound.value() for bound in form}
    for bound in form:
        if bound.field.show_hidden_initial:
            fields[bound.html_initial_name] = bound.value()
    kept = {key: value for key, value in fields.items() if value is not None and value is not False and value != ""}
    return {key: "on" if value is True else value for key, value in kept.items()}


def save(client: Client, admin: str, pk: object, **changes: str) -> None:
    form = form_of(client, admin, pk) | {key.replace("__", "-"): value for key, value in changes.items()}
    response = client.post(reverse(f"admin:{admin}_change", args=(pk,)), form)
    assert response.status_code == 302, response.context["adminform"].form.errors


def test_a_price_change_shows_the_old_price(client_of_alice: Client, harbour: World) -> None:
    save(client_of_alice, "agents_item", harbour[Item].pk, price="9.50", name="Funghi")
    assert said() == "Name: Harbour item → Funghi. Price: 5.00 → 9.50."


def test_a_change_of_hours_shows_the_old_and_the_new_ones(client_of_alice: Client, harbour: World) -> None:
    hours = OpeningHours.objects.get(organization=harbour.organization)
    save(client_of_alice, "agents_organization", harbour.organization.pk, opening_hours__0__closes_at="22:00")
    assert said() == "Opening hours Monday 00:00–22:00: Closes at: 00:00 → 22:00."
    save(client_of_alice, "agents_organization", harbour.organization.pk, opening_hours__0__DELETE="on")
    assert said() == "Opening hours removed: Monday 00:00–22:00."
    assert not OpeningHours.objects.filter(pk=hours.pk).exists()


def test_a_role_change_shows_the_old_role(client_of_alice: Client, harbour: World) -> None:
    bob = Membership.objects.create(
        organization=harbour.organization, user=User.objects.create_user("bob"), role="staff"
    )
    save(client_of_alice, "agents_membership", bob.pk, role="kitchen")
    assert said() == "Role: Staff → Kitchen."


def test_a_change_of_a_prompt_shows_the_changed_lines(client_of_alice: Client, harbour: World) -> None:
    agent = harbour[Agent]
    Agent.objects.filter(pk=agent.pk).update(prompt="You are kind.\nYou sell pizza.")
    save(client_of_alice, "agents_agent", agent.pk, prompt="You are kind.\r\nYou sell pasta.")
    assert said() == "Prompt: “You sell pizza.” → “You sell pasta.”."
    assert Agent.objects.get(pk=agent.pk).prompt == "You are kind.\nYou sell pasta."


def test_a_list_that_is_edited_in_place_shows_the_same(client_of_alice: Client, harbour: World) -> None:
    item = harbour[Item]
    client_of_alice.post(
        reverse("admin:agents_item_changelist"),
        {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "_save": "Save", "form-0-id": item.pk,
         "form-0-count_left": 7, "initial-form-0-count_left": ""},
    )  # fmt: skip
    assert said() == "Quantity left: nothing → 7."


def test_saving_a_page_as_it_is_changes_nothing(client_of_alice: Client, harbour: World) -> None:
    for name, pk in (("agents_agent", harbour[Agent].pk), ("agents_organization", harbour.organization.pk)):
        save(client_of_alice, name, pk)
        assert said() == "Saved without changes.", name


@pytest.mark.parametrize("sent", ["One\r\nTwo", "One\rTwo", "One  \nTwo", "One\nTwo\n"])
def test_line_endings_are_no_difference(sent: str, harbour: World) -> None:
    agent = harbour[Agent]
    Agent.objects.filter(pk=agent.pk).update(prompt="One\nTwo", greeting="Hello.")
    agent.refresh_from_db()
    version: AgentVersion = publish_agent(agent, by="alice")
    Agent.objects.filter(pk=agent.pk).update(prompt=sent, greeting="Good day.")
    agent.refresh_from_db()
    assert [each.label for each in differences(version, agent)] == ["greeting"]


def test_only_the_greeting_was_changed_and_only_it_differs(client_of_alice: Client, harbour: World) -> None:
    agent = harbour[Agent]
    Agent.objects.filter(pk=agent.pk).update(prompt="One\nTwo", greeting="Hello.")
    agent.refresh_from_db()
    version: AgentVersion = publish_agent(agent, by="alice")
    save(client_of_alice, "agents_agent", agent.pk, greeting="Good day.", prompt="One\r\nTwo")
    agent.refresh_from_db()
    (only,) = differences(version, agent)
    assert (only.label, [(line.mark, line.text) for line in only.lines]) == (
        "greeting", [("-", "Hello."), ("+", "Good day.")],
    )  # fmt: skip

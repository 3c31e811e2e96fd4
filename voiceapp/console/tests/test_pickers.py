"""Pickers offer only what may be chosen: rows of the page's organization, on every form of the admin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from agents.catalog.models import Category, Item, Menu, Modifier, ModifierGroup
from agents.configuration.models import Agent
from agents.organizations.models import Membership, Organization
from agents.organizations.tenancy import TenantModel
from telephony.twilio.models import PhoneNumber

from .world import World, make_menu

pytestmark = [pytest.mark.slow, pytest.mark.embedded]

FORMS = sorted(
    (model for model in admin.site._registry if issubclass(model, TenantModel)), key=lambda model: model._meta.label
)
every_form = pytest.mark.parametrize("model", FORMS, ids=lambda model: model._meta.label)


def url(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def harbour(worlds_of_module: tuple[World, World], db: None) -> World:
    return worlds_of_module[0].copied()


@pytest.fixture
def meadow(worlds_of_module: tuple[World, World], db: None) -> World:
    return worlds_of_module[1].copied()


@pytest.fixture(params=["owner of both", "superuser"])
def client(request: pytest.FixtureRequest, harbour: World, meadow: World) -> Client:
    """Somebody who may edit both organizations."""
    user = User.objects.create_user("erik", is_staff=True, is_superuser=request.param == "superuser")
    if not user.is_superuser:
        for world in (harbour, meadow):
            Membership.objects.create(organization=world.organization, user=user, role="owner")
    harbour.member("viewer")
    client = Client()
    client.force_login(user)
    return client


def pickers(context: Any) -> Iterator[tuple[str, forms.ModelChoiceField[Any]]]:
    """Every picker of a page's form and of the forms of its inlines, the empty ones for new rows too."""
    found = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        found += [*inline.formset.forms, inline.formset.empty_form]
    for form in found:
        for name, field in form.fields.items():
            # A row of an inline carries its own key along, hidden.
            if isinstance(field, forms.ModelChoiceField) and not field.widget.is_hidden:
                yield name, field


def organizations_offered(field: forms.ModelChoiceField[Any]) -> set[Any]:
    rows = field.queryset
    if rows is None or not issubclass(rows.model, TenantModel):
        return set()
    return set(rows.order_by().values_list(rows.model.tenant_path, flat=True).distinct())


@every_form
def test_a_page_offers_only_rows_of_its_organization(
    model: type[Model], client: Client, harbour: World, meadow: World
) -> None:
    page = client.get(url(model, "change", harbour[model].pk))
    assert page.status_code == 200
    for name, field in pickers(page.context):
        if not field.disabled:
            assert organizations_offered(field) <= {harbour.organization.pk}, name


@every_form
def test_a_new_row_offers_only_rows_of_the_organization_that_was_chosen(
    model: type[Model], client: Client, harbour: World, meadow: World
) -> None:
    page = client.get(url(model, "add"), {"organization": str(harbour.organization.pk)})
    if page.status_code == 403:
        return  # records: they cannot be added
    assert page.status_code == 200
    for name, field in pickers(page.context):
        if not field.disabled:
            assert organizations_offered(field) <= {harbour.organization.pk}, name
    assert "Meadow" not in page.content.decode() or model is Organization


@every_form
def test_a_new_row_begins_with_the_organization_where_it_matters(
    model: type[Model], client: Client, harbour: World, meadow: World
) -> None:
    page = client.get(url(model, "add"), {"_popup": "1"})
    if page.status_code == 403:
        return
    if "adminform" in page.context:
        # Nothing is picked but the organization itself.
        offered = [field for name, field in pickers(page.context) if name != "organization"]
        assert not any(organizations_offered(field) for field in offered)
        return
    text = page.content.decode()
    for world in (harbour, meadow):
        assert f"?organization={world.organization.pk}&amp;_popup=1" in text


def test_a_user_with_one_organization_need_not_choose_it(
    client_of_alice: Client, harbour: World, meadow: World
) -> None:
    page = client_of_alice.get(url(PhoneNumber, "add"))
    assert page.context["adminform"].form.fields["organization"].disabled
    assert "Meadow" not in page.content.decode()


def test_a_page_opened_from_a_row_needs_no_question(client: Client, harbour: World, meadow: World) -> None:
    page = client.get(url(Item, "add"), {"category": harbour[Category].pk})
    assert "adminform" in page.context
    assert "Meadow" not in page.content.decode()


def test_a_strangers_agent_cannot_be_posted(client: Client, harbour: World, meadow: World) -> None:
    posted = {
        "organization": str(harbour.organization.pk), "number": "+493099999999", "agent": meadow[Agent].pk,
        "is_active": "on",
    }  # fmt: skip
    page = client.post(url(PhoneNumber, "add"), posted)
    assert "agent" in page.context["adminform"].form.errors
    assert not PhoneNumber.objects.filter(number="+493099999999").exists()
    posted["agent"] = harbour[Agent].pk
    assert client.post(url(PhoneNumber, "add"), posted).status_code == 302
    assert PhoneNumber.objects.get(number="+493099999999").organization == harbour.organization


def complete(client: Client, model: type[Model], page: Any, name: str) -> set[str]:
    """What the completion of that field of the page offers, as the browser requests them."""
    widget = page.context["adminform"].form.fields[name].widget.widget
    attributes = widget.build_attrs({})
    query = {
        "term": "", "app_label": attributes["data-app-label"], "model_name": attributes["data-model-name"],
        "field_name": attributes["data-field-name"],
    }  # fmt: skip
    answer = client.get(f"{attributes['data-ajax--url']}&{urlencode(query)}")
    return {each["text"] for each in answer.json()["results"]}


def test_what_completes_as_one_types_offers_only_rows_of_the_menu(
    client: Client, harbour: World, meadow: World
) -> None:
    page = client.get(url(ModifierGroup, "change", harbour[ModifierGroup].pk))
    assert complete(client, ModifierGroup, page, "items") == {"Harbour item"}
    new = client.get(url(ModifierGroup, "add"), {"organization": str(meadow.organization.pk)})
    assert complete(client, ModifierGroup, new, "items") == {"Meadow item"}
    assert complete(client, ModifierGroup, new, "under") == {"Meadow modifier"}


def test_only_rows_of_the_same_menu_go_with_a_group(client: Client, harbour: World) -> None:
    first, group, item = harbour[Menu], harbour[ModifierGroup], harbour[Item]
    Menu.objects.filter(pk=first.pk).update(name="Lunch")
    make_menu(harbour)
    page = client.get(url(ModifierGroup, "change", group.pk))
    fields = page.context["adminform"].form.fields
    assert list(fields["items"].queryset) == [item]
    assert not fields["under"].queryset.filter(group=group).exists()
    assert complete(client, ModifierGroup, page, "items") == {"Harbour item"}
    assert Modifier.objects.count() == 3
    choices = client.get(url(Item, "change", item.pk)).context["adminform"].form.fields["choices"].queryset
    assert {each.menu_id for each in choices} == {first.pk}


def test_only_people_who_are_no_members_are_offered_as_new_ones(harbour: World, meadow: World, client: Client) -> None:
    page = client.get(url(Membership, "add"), {"organization": str(meadow.organization.pk)})
    user = page.context["adminform"].form.fields.get("user")
    if user is None:
        return  # only those who see all pick among people
    assert "charlie-meadow" not in {each.username for each in user.queryset}
    assert "erik" in {each.username for each in user.queryset}

"""No page of the admin shows, changes or confirms what belongs to another organization."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from agents.catalog.models import Category, Item, Menu, Modifier, ModifierGroup
from agents.configuration.models import Agent
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel
from telephony.twilio.models import PhoneNumber

from .world import World

pytestmark = [pytest.mark.slow, pytest.mark.embedded]

REGISTERED = sorted(
    (model for model in admin.site._registry if issubclass(model, TenantModel)), key=lambda model: model._meta.label
)
# Rows that have no page of their own: they are edited or shown on their owner's.
ON_THEIR_OWNERS_PAGE = {
    "agents.DaypartSpan",
    "agents.DeliveryZone",
    "agents.KeptGreeting",
    "agents.MenuChange",
    "agents.OpeningHours",
    "agents.SpecialDay",
    "agents.TransferHours",
    "agents.ResourceHours",
    "agents.Size",
    "telephony.ReplayRun",
    "telephony.ScenarioRun",
    "telephony.TransferAttempt",
    "voice_sessions.AppointmentEvent",
    "voice_sessions.CountedDay",
    "voice_sessions.DayChange",
    "voice_sessions.DayFigures",
    "voice_sessions.DayTopics",
    "voice_sessions.OrderAlarm",
    "voice_sessions.OrderEvent",
    "voice_sessions.OrderLine",
    "voice_sessions.OrderModifier",
    "voice_sessions.SavedView",
    "voice_sessions.WebhookAttempt",
}
HIDDEN = {302, 403, 404}

every_model = pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)


@pytest.fixture
def harbour(worlds_of_module: tuple[World, World], db: None) -> World:
    return worlds_of_module[0].copied()


@pytest.fixture
def meadow(worlds_of_module: tuple[World, World], db: None) -> World:
    return worlds_of_module[1].copied()


def url(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def text_of(response: Any) -> str:
    text: str = response.content.decode()
    return text


def said_next(response: Any) -> str:
    """The messages that the next page would show."""
    return " ".join(map(str, get_messages(response.wsgi_request)))


def test_every_model_of_an_organization_has_a_page_or_stands_on_one() -> None:
    ours = {model._meta.label for model in apps.get_models() if issubclass(model, TenantModel)}
    assert ours == {model._meta.label for model in REGISTERED} | ON_THEIR_OWNERS_PAGE


@every_model
def test_a_row_of_the_own_organization_has_a_page(model: type[Model], client_of_alice: Client, harbour: World) -> None:
    page = client_of_alice.get(url(model, "change", harbour[model].pk))
    assert page.status_code == 200
    assert "(&#x27;" not in text_of(page)  # a Python tuple where the label of a state belongs
    listing = client_of_alice.get(url(model, "changelist"))
    assert listing.status_code == 200


@every_model
@pytest.mark.parametrize("page", ["change", "history", "delete"])
def test_the_page_of_a_strangers_row_does_not_exist(
    model: type[Model], page: str, client_of_alice: Client, harbour: World, meadow: World
) -> None:
    response = client_of_alice.get(url(model, page, meadow[model].pk))
    assert response.status_code in HIDDEN
    assert "Meadow" not in text_of(response) + said_next(response)
    assert client_of_alice.post(url(model, page, meadow[model].pk), {"post": "yes"}).status_code in HIDDEN
    assert type(meadow[model])._default_manager.filter(pk=meadow[model].pk).exists()


@every_model
def test_lists_searches_and_filters_show_no_strangers_row(
    model: type[Model], client_of_alice: Client, harbour: World, meadow: World
) -> None:
    for query in ("", "?q=Mead", "?q=77", "?all="):
        page = client_of_alice.get(url(model, "changelist") + query, follow=True)
        assert page.status_code == 200
        assert "Meadow" not in text_of(page)
    assert "charlie" not in text_of(page)


@every_model
def test_a_filter_by_a_strangers_id_finds_nothing(
    model: type[Model], client_of_alice: Client, harbour: World, meadow: World
) -> None:
    filters = [each for each in admin.site._registry[model].list_filter if isinstance(each, str)]
    for name in filters:
        target = model._meta.get_field(name).related_model
        if isinstance(target, type) and target in meadow.rows:
            page = client_of_alice.get(url(model, "changelist"), {f"{name}__id__exact": str(meadow[target].pk)})
            assert page.status_code in {200, 302, 400}
            assert "Meadow" not in text_of(page)


@every_model
def test_the_page_for_a_new_row_offers_no_strangers_row(
    model: type[Model], client_of_alice: Client, harbour: World, meadow: World
) -> None:
    page = client_of_alice.get(url(model, "add"))
    assert page.status_code in {200, 403}
    assert "Meadow" not in text_of(page)
    assert "charlie" not in text_of(page)


def actions() -> Iterator[tuple[type[Model], str]]:
    for model in REGISTERED:
        names = [each if isinstance(each, str) else each.__name__ for each in admin.site._registry[model].actions or ()]
        yield from ((model, name) for name in [*names, "delete_selected"])


@pytest.mark.parametrize(("model", "action"), list(actions()), ids=lambda value: getattr(value, "__name__", value))
def test_an_action_leaves_strangers_rows_alone(
    model: type[Model], action: str, client_of_alice: Client, harbour: World, meadow: World
) -> None:
    before = type(meadow[model])._default_manager.filter(pk=meadow[model].pk).values().get()
    page = client_of_alice.post(
        url(model, "changelist"),
        {"action": action, "_selected_action": [str(meadow[model].pk)], "post": "yes", "index": "0"},
        follow=True,
    )
    assert "Meadow" not in text_of(page)
    assert type(meadow[model])._default_manager.filter(pk=meadow[model].pk).values().get() == before


def buttons() -> Iterator[tuple[type[Model], str]]:
    for model in REGISTERED:
        yield from ((model, button.name) for button in getattr(admin.site._registry[model], "buttons", ()))


@pytest.mark.parametrize(("model", "button"), list(buttons()), ids=lambda value: getattr(value, "__name__", value))
def test_a_button_of_a_strangers_row_does_not_exist(
    model: type[Model], button: str, client_of_alice: Client, harbour: World, meadow: World
) -> None:
    before = type(meadow[model])._default_manager.filter(pk=meadow[model].pk).values().get()
    assert client_of_alice.post(url(model, "press", meadow[model].pk, button)).status_code == 404
    assert type(meadow[model])._default_manager.filter(pk=meadow[model].pk).values().get() == before


@pytest.mark.parametrize("field", ["items", "under"])
def test_completion_offers_no_strangers_row(field: str, client_of_alice: Client, harbour: World, meadow: World) -> None:
    query = {"app_label": "agents", "model_name": "modifiergroup", "field_name": field}
    for term in ("", "Meadow"):
        answer = client_of_alice.get(reverse("admin:autocomplete"), {**query, "term": term})
        assert answer.status_code == 200
        assert "Meadow" not in text_of(answer)
    assert "Harbour" in text_of(client_of_alice.get(reverse("admin:autocomplete"), {**query, "term": "Harbour"}))


def test_the_first_page_and_the_search_of_pages_show_no_stranger(
    client_of_alice: Client, harbour: World, meadow: World
) -> None:
    assert "Meadow" not in text_of(client_of_alice.get("/admin/"))
    assert "Meadow" not in text_of(client_of_alice.get("/admin/search/?s=Meadow&extended=1"))


def test_a_ticket_of_a_strangers_order_does_not_exist(client_of_alice: Client, harbour: World, meadow: World) -> None:
    from sessions.orders.models import Order

    address = reverse("admin:voice_sessions_order_ticket", args=(meadow[Order].pk,))
    assert client_of_alice.get(address).status_code == 404


def test_no_row_can_be_added_to_a_strangers_organization(
    client_of_alice: Client, harbour: World, meadow: World
) -> None:
    inlines = {"categories-TOTAL_FORMS": 0, "categories-INITIAL_FORMS": 0}
    client_of_alice.post(url(Menu, "add"), {"organization": meadow.organization.pk, "name": "Stolen", **inlines})
    assert Menu.objects.get(name="Stolen").organization == harbour.organization

    inlines = {"items-TOTAL_FORMS": 0, "items-INITIAL_FORMS": 0}
    page = client_of_alice.post(url(Category, "add"), {"menu": meadow[Menu].pk, "name": "Stolen", **inlines})
    assert page.status_code == 200
    assert not Category.objects.filter(name="Stolen").exists()


def test_a_row_cannot_be_tied_to_a_strangers(client_of_alice: Client, harbour: World, meadow: World) -> None:
    number = harbour[PhoneNumber]
    page = client_of_alice.post(
        url(PhoneNumber, "change", number.pk), {"number": number.number, "agent": meadow[Agent].pk, "is_active": "on"}
    )
    number.refresh_from_db()
    assert (page.status_code, number.agent) == (200, None)

    group = harbour[ModifierGroup]
    form = {"menu": group.menu_id, "name": "Renamed", "minimum": 0, "maximum": 1}
    inlines = {"modifiers-TOTAL_FORMS": 0, "modifiers-INITIAL_FORMS": 0}
    for tie in ({"items": [meadow[Item].pk]}, {"under": [meadow[Modifier].pk]}):
        assert client_of_alice.post(url(ModifierGroup, "change", group.pk), form | inlines | tie).status_code == 200
    group.refresh_from_db()
    assert group.name == "Harbour group"


def test_a_member_of_two_organizations_cannot_mix_them(harbour: World, meadow: World) -> None:
    both = harbour.member("owner", "dora")
    from agents.organizations.models import Membership

    Membership.objects.create(organization=meadow.organization, user=both, role="owner")
    client = Client()
    client.force_login(both)
    item = harbour[Item]
    inlines = {"sizes-TOTAL_FORMS": 0, "sizes-INITIAL_FORMS": 0}
    form = {"category": meadow[Category].pk, "name": "Moved", "price": "5", "most_per_order": 5}
    assert client.post(url(Item, "change", item.pk), form | inlines).status_code == 200
    item.refresh_from_db()
    assert item.name == "Harbour item"


def test_staff_without_a_membership_see_nothing(harbour: World) -> None:
    client = Client()
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert "Harbour" not in text_of(client.get("/admin/"))
    for model in REGISTERED:
        assert client.get(url(model, "changelist")).status_code == 403


def test_a_superuser_sees_every_organization(harbour: World, meadow: World) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    for model in REGISTERED:
        assert client.get(url(model, "changelist")).status_code == 200
        assert client.get(url(model, "change", meadow[model].pk)).status_code == 200
    listing = text_of(client.get(url(Organization, "changelist")))
    assert "Harbour House" in listing
    assert "Meadow House" in listing

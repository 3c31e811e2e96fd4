"""Whatever changes a row of configuration is written to the audit log, in the transaction of the change."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from time import process_time
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from agents.audit_log.models import AuditEntry
from agents.audit_log.services import forget_in_audit_log
from agents.catalog.models import Item, Menu
from agents.catalog.prices import PriceRule, change_prices, digest_of, new_prices
from agents.organizations.actor import Actor, ActorMiddleware, Via, acting_as
from agents.organizations.auditing import HIDDEN
from agents.organizations.models import ApiKey, Membership, Organization
from agents.organizations.principal import Kind, Principal
from agents.organizations.services import issue_key, revoke_key
from agents.tests.builders import add_item, make_menu, make_organization, make_user
from sessions.messages.endpoints.models import WebhookEndpoint
from voiceapp.providers.webhook_signature import new_secret

pytestmark = pytest.mark.django_db
BOB = Actor("bob", Via.PAGE, "/admin/somewhere/")


@pytest.fixture
def trattoria(db: None) -> Organization:
    return make_organization("Trattoria")


@pytest.fixture
def menu(trattoria: Organization) -> Menu:
    return make_menu(trattoria)


@pytest.fixture
def item(menu: Menu) -> Item:
    return add_item(menu.categories.earliest("pk"), "Calzone", "9.00")


@pytest.fixture
def as_bob() -> Iterator[None]:
    with acting_as(BOB):
        yield


def logged() -> list[tuple[str, str, list[Any]]]:
    return [(each.action, each.name, each.changes) for each in AuditEntry.objects.order_by("id")]


@pytest.mark.usefixtures("as_bob")
def test_whatever_changes_a_row_is_noticed(item: Item, menu: Menu) -> None:
    AuditEntry.objects.all().delete()
    item.price = Decimal(10)
    item.save(update_fields=["price"])
    Item.objects.filter(pk=item.pk).update(price="9.5", name="Calzone")
    Item.objects.filter(pk=item.pk).update(price=F("price") + 1)
    item.refresh_from_db()
    item.category = menu.categories.latest("pk")
    item.save()
    item.delete()
    entries = logged()
    assert entries[:4] == [
        ("changed", "Calzone", [["price", "9.00", "10.00"]]),
        ("changed", "Calzone", [["price", "10.00", "9.50"]]),
        ("changed", "Calzone", [["price", "9.50", "10.50"]]),
        ("changed", "Calzone", [["category", "Pizzas", "Desserts"]]),
    ]
    assert entries[4][:2] == ("removed", "Calzone")
    assert ["price", "10.50", None] in entries[4][2]
    assert len(entries) == 5


def test_what_no_person_key_or_command_changes_is_not_logged(item: Item) -> None:
    Item.objects.filter(pk=item.pk).update(count_left=3)
    item.save()
    assert logged() == []


@pytest.mark.usefixtures("as_bob")
def test_a_secret_never_stands_in_it(trattoria: Organization) -> None:
    issued = issue_key(trattoria, name="website")
    revoke_key(issued.key)
    endpoint = WebhookEndpoint(organization=trattoria, name="kitchen", url="https://kitchen.example/hook", events=[])
    endpoint.secret = first = new_secret()
    endpoint.save()
    endpoint.secret = second = new_secret()
    endpoint.save()
    text = str(logged())
    key = ApiKey.objects.get()
    for secret in (issued.text, key.secret_sha256, first, second, endpoint.sealed_secret):
        assert secret not in text
    assert ["sealed_secret", HIDDEN, HIDDEN] in AuditEntry.objects.latest("id").changes


def test_prices_of_500_items_are_changed_quickly(menu: Menu) -> None:
    category = menu.categories.earliest("pk")
    Item.objects.bulk_create(
        Item(category=category, name=f"Pizza {number}", price=Decimal(10)) for number in range(500)
    )
    rule = PriceRule(percent=Decimal(10))
    prices = new_prices(menu, rule)
    began = process_time()
    with acting_as(BOB), CaptureQueriesContext(connection) as queries:
        change_prices(menu, rule, by="bob", digest=digest_of(prices))
    assert AuditEntry.objects.count() == len(prices) >= 500
    # Two for each row, one insert for five hundred.
    assert len(queries) < 2 * len(prices) + 20
    assert process_time() - began < 4


def test_a_removed_organization_takes_its_log_along(trattoria: Organization, item: Item) -> None:
    with acting_as(BOB):
        Membership.objects.create(organization=trattoria, user=make_user("eve"))
        assert AuditEntry.objects.exists()
        trattoria.delete()
    assert not AuditEntry.objects.exists()


def test_a_callers_number_is_taken_out(trattoria: Organization) -> None:
    with acting_as(BOB):
        Organization.objects.filter(pk=trattoria.pk).update(closed_message="Ring +4915123456789 instead", name="B")
    assert forget_in_audit_log(trattoria, "+4915123456789") == 1
    assert forget_in_audit_log(trattoria, "+4915123456789") == 0
    assert ["closed_message", None, "Deleted"] in AuditEntry.objects.get().changes


def test_an_api_key_is_an_actor_and_a_visitor_is_none(item: Item, trattoria: Organization) -> None:
    def change(request: HttpRequest) -> HttpResponse:
        Item.objects.filter(pk=item.pk).update(price=Decimal(request.GET["price"]))
        return HttpResponse()

    for price, user in (("1", AnonymousUser()), ("2", Principal("key_website", kind=Kind.KEY))):
        request = RequestFactory().patch(f"/api/items?price={price}&token=secret")
        request.user = user  # type: ignore[assignment]
        ActorMiddleware(change)(request)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.user, entry.via, entry.place) == ("key_website", None, "api", "/api/items")
    assert entry.changes == [["price", "1.00", "2.00"]]

"""Each change of the configuration is in the audit log: who, when, from where, old and new value; never a secret."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from agents.audit_log.models import AuditEntry
from agents.audit_log.queries import csv_of
from agents.audit_log.retention import purge_audit_log
from agents.catalog.models import Item, Menu, Modifier, ModifierGroup
from agents.hours.models import OpeningHours
from agents.organizations.actor import Actor, Via, acting_as, command_actor
from agents.organizations.auditing import SECRET_WORDS
from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.organizations.tenancy import TenantModel
from agents.tenant_admin.tenant import ReadOnlyAdmin, TenantAdmin
from agents.tests.builders import add_item, make_menu, make_organization, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
BOB = Actor("bob", Via.PAGE, "/admin/somewhere/")
# Rows with a page of forms that are no configuration: they have a record of their own, or a caller's data.
NOT_AUDITED = {
    "telephony.CallerRequest", "voice_sessions.Appointment", "voice_sessions.CallerNotRemembered",
    "voice_sessions.OptOut",
}  # fmt: skip


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
def alice(trattoria: Organization) -> User:
    return make_user("alice", trattoria, Role.OWNER)


@pytest.fixture
def client(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def as_bob() -> Iterator[None]:
    with acting_as(BOB):
        yield


def logged() -> list[tuple[str, str, list[Any]]]:
    return [(each.action, each.name, each.changes) for each in AuditEntry.objects.order_by("id")]


def test_a_page_that_is_saved_says_who_when_what_and_from_where(client: Client, item: Item, alice: User) -> None:
    page = reverse("admin:agents_item_change", args=(item.pk,))
    shown = client.get(page).context["adminform"].form
    form = {bound.html_name: bound.value() for bound in shown if bound.value() not in (None, False, "", [])}
    sizes = {"sizes-TOTAL_FORMS": 0, "sizes-INITIAL_FORMS": 0}
    assert client.post(page, form | sizes | {"price": "9.5", "name": "Calzone grande"}).status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.user, entry.actor, entry.via, entry.place) == (alice, "alice", "page", page)
    assert entry.changes == [["name", "Calzone", "Calzone grande"], ["price", "9.00", "9.50"]]
    assert timezone.now() - entry.at < dt.timedelta(minutes=1)
    history = client.get(reverse("admin:agents_item_history", args=(item.pk,))).content.decode()
    assert "9.00" in history
    assert "Calzone grande" in history
    listing = client.get("/admin/agents/auditentry/").content.decode()
    assert "Price: 9.00 → 9.50." in listing
    assert f'href="{page}"' in listing


def test_commands_are_actors_and_servers_are_none() -> None:
    found = command_actor(["manage.py", "import_menu", "--secret", "x"])
    assert found == Actor("manage.py", Via.COMMAND, "manage.py import_menu")
    assert command_actor(["manage.py", "serve"]) is None
    assert command_actor(["/usr/bin/celery", "worker"]) is None


def test_hours_stand_in_the_history_of_the_organization(trattoria: Organization, client: Client) -> None:
    with acting_as(BOB):
        OpeningHours.objects.create(organization=trattoria, weekday=0, opens_at=dt.time(11), closes_at=dt.time(22))
    assert AuditEntry.objects.get().page == f"agents.organization:{trattoria.pk}"
    history = client.get(reverse("admin:agents_organization_history", args=(trattoria.pk,))).content.decode()
    assert "11:00" in history


def test_every_column_that_may_hold_a_secret_is_hidden() -> None:
    audited: list[type[TenantModel]] = [
        model for model in apps.get_models() if issubclass(model, TenantModel) and model.audited
    ]
    assert len(audited) > 20
    for model in audited:
        for column in model._meta.concrete_fields:
            sounds_secret = any(word in column.name for word in ("secret", "sha256", "sealed", "password", "nonce"))
            assert not sounds_secret or any(word in column.name for word in SECRET_WORDS), column


def test_every_page_with_a_form_is_audited_or_said_not_to_be() -> None:
    pages = [page for page in admin.site._registry.values() if isinstance(page, TenantAdmin)]
    edited = [page.model for page in pages if not isinstance(page, ReadOnlyAdmin)]
    unaudited = {model._meta.label for model in edited if getattr(model, "audited", None) is None}
    assert unaudited == NOT_AUDITED


@pytest.mark.usefixtures("as_bob")
def test_links_are_logged_by_name(item: Item, menu: Menu, client: Client) -> None:
    group = ModifierGroup.objects.filter(menu=menu).earliest("pk")
    page = reverse("admin:agents_modifiergroup_change", args=(group.pk,))
    formset = {"modifiers-TOTAL_FORMS": 0, "modifiers-INITIAL_FORMS": 0}
    response = client.post(
        page,
        formset | {"menu": menu.pk, "name": group.name, "minimum": 1, "maximum": 1, "items": [item.pk], "position": 1},
    )
    assert response.status_code == 302, response.context["errors"]
    changes = {
        name: (old, new)
        for entry in AuditEntry.objects.filter(kind="agents.modifiergroup")
        for name, old, new in entry.changes
    }
    assert changes["items"][1] == "Calzone"


def test_the_list_reads_a_fixed_number_of_rows_by_an_index(
    client: Client, trattoria: Organization, alice: User
) -> None:
    def entries(number: int) -> Iterator[AuditEntry]:
        for each in range(number):
            yield AuditEntry(
                organization=trattoria, user=alice, actor="alice", via="page", place="/admin/", action="changed",
                kind="agents.item", row_id=str(each), name=f"Item {each}", page=f"agents.item:{each}",
                changes=[["price", "1.00", "2.00"]],
            )  # fmt: skip

    addresses = ["", f"?person={alice.pk}", "?kind=agents.item", f"?at__year={timezone.now().year}"]
    AuditEntry.objects.bulk_create(entries(60))
    before = [_queries(client, each) for each in addresses]
    AuditEntry.objects.bulk_create(entries(300))
    assert [_queries(client, each) for each in addresses] == before
    rows = AuditEntry.objects.filter(organization=trattoria)
    day = rows.filter(at__gte=timezone.now() - dt.timedelta(days=1), at__lt=timezone.now())
    for found in (rows, day, rows.filter(user=alice, action="added"), day.filter(kind="agents.item", via="page")):
        plan = found[:50].explain()
        assert "audit_" in plan or connection.vendor != "sqlite", plan
        assert "TEMP B-TREE" not in plan
        counted = found.order_by().values("organization").annotate(number=Count("pk")).explain()
        assert "COVERING INDEX" in counted or connection.vendor != "sqlite", counted


def test_csv_has_each_entry_once_by_time(trattoria: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.audit_log.queries.BATCH", 2)
    same = timezone.now()
    times = [same, same - dt.timedelta(hours=1), same, same, same + dt.timedelta(hours=1)]
    AuditEntry.objects.bulk_create(
        AuditEntry(
            organization=trattoria, actor="alice", via="page", action="added", kind="agents.item", name=name, at=at
        )
        for name, at in zip("abcde", times, strict=True)
    )
    text = "".join(csv_of(AuditEntry.objects.all()))
    assert [line.split(",")[6] for line in text.splitlines()[1:]] == ["e", "d", "c", "a", "b"]


def _queries(client: Client, query: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"/admin/agents/auditentry/{query}").status_code == 200
    return len(queries)


def test_filters_and_csv_by_person_kind_and_day(client: Client, item: Item, trattoria: Organization) -> None:
    with acting_as(BOB):
        Item.objects.filter(pk=item.pk).update(name="=1+1")
        Modifier.objects.filter(name="olives").update(price=2)
    now = timezone.localtime(timezone=trattoria.zone)  # a day of the list begins at its midnight
    listing = (
        f"/admin/agents/auditentry/?kind=agents.modifier&at__day={now.day}&at__month={now.month}&at__year={now.year}"
    )
    page = client.get(listing).content.decode()
    assert ("olives" in page, "=1+1" in page) == (True, False)
    assert "olives" not in client.get("/admin/agents/auditentry/?person=999999").content.decode()
    response: Any = client.get("/admin/agents/auditentry/csv/")
    text = b"".join(async_to_sync(_parts)(response)).decode()
    assert text.startswith("\ufefftime,who")
    assert ",'=1+1" in text
    assert "Price,1.00,2.00" in text


async def _parts(response: Any) -> list[bytes]:
    return [part async for part in response.streaming_content]


def test_only_owners_and_managers_read_it(trattoria: Organization) -> None:
    for role, status in ((Role.MANAGER, 200), (Role.STAFF, 403), (Role.VIEWER, 403), (Role.KITCHEN, 403)):
        client = Client()
        client.force_login(make_user(f"one-{role}", trattoria, role))
        assert client.get("/admin/agents/auditentry/").status_code == status
        assert client.get("/admin/agents/auditentry/csv/").status_code == status


def test_it_is_kept_as_long_as_the_setting_says(trattoria: Organization, settings: Settings) -> None:
    settings.AUDIT_LOG_DAYS = 30
    with acting_as(BOB):
        Organization.objects.filter(pk=trattoria.pk).update(name="A")
        Organization.objects.filter(pk=trattoria.pk).update(name="B")
    AuditEntry.objects.filter(changes__0__2="A").update(at=timezone.now() - dt.timedelta(days=31))
    assert purge_audit_log() == 1
    settings.AUDIT_LOG_DAYS = 0
    AuditEntry.objects.update(at=timezone.now() - dt.timedelta(days=9999))
    assert purge_audit_log() == 0

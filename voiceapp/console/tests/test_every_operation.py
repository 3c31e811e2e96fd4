"""Every page and button of the admin, requested by every role, is open or closed as the table of roles says."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from agents.organizations.roles import Area, Power, Role, power_of
from agents.tenant_admin.tenant import ReadOnlyAdmin, TenantAdmin

from .world import World

pytestmark = [pytest.mark.slow, pytest.mark.embedded]

ADMINS: list[TenantAdmin[Any]] = [each for each in admin.site._registry.values() if isinstance(each, TenantAdmin)]


def address(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def signed_in(world: World, role: Role) -> Client:
    client = Client()
    client.force_login(world.member(role, "bob"))
    return client


def test_every_area_has_a_page_or_decides_within_one() -> None:
    assert {each.area for each in ADMINS} == set(Area) - {Area.OWNERS}


@pytest.mark.parametrize("role", Role)
def test_lists_and_rows_open_to_those_who_may_view(role: Role, harbour: World) -> None:
    client = signed_in(harbour, role)
    for each in ADMINS:
        row = harbour.rows.get(each.model)
        may = power_of(role, each.area) >= Power.VIEW
        assert client.get(address(each.model, "changelist")).status_code == (200 if may else 403), each
        if row is not None:
            status = client.get(address(each.model, "change", row.pk)).status_code
            assert (status == 200) == may, (each, status)


@pytest.mark.parametrize("role", Role)
def test_rows_are_added_and_deleted_by_those_who_may_edit(role: Role, harbour: World) -> None:
    client = signed_in(harbour, role)
    for each in ADMINS:
        if isinstance(each, ReadOnlyAdmin):
            continue
        may = power_of(role, each.area) >= Power.EDIT
        added = client.get(address(each.model, "add")).status_code
        row = harbour.rows.get(each.model)
        deleted = None if row is None else client.get(address(each.model, "delete", row.pk)).status_code
        if not may:
            assert added == 403, each
            assert deleted in (None, 302, 403, 404), each
        elif each.area is not Area.ORGANIZATION and each.area is not Area.PEOPLE:
            assert added in (200, 403), each


@pytest.mark.parametrize("role", Role)
def test_a_button_is_refused_to_those_who_may_not(role: Role, harbour: World) -> None:
    client, walked = signed_in(harbour, role), 0
    for each in ADMINS:
        if each.model not in harbour.rows:
            continue
        row = harbour[each.model]
        for button in each.buttons:
            walked += 1
            status = client.post(address(each.model, "press", row.pk, button.name), {"text": "x"}).status_code
            refused = status in (403, 404)
            if power_of(role, each.area) < button.power:
                assert refused, (each, button.name, status)
    assert walked > 10

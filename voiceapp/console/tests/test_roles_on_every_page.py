"""The table of roles (docs/reference/roles.md) is what every page of the console does, and what the sidebar names."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse

from agents.organizations.roles import Power, Role, power_of
from agents.tenant_admin.tenant import ReadOnlyAdmin, TenantAdmin
from agents.tests.builders import make_organization, make_user
from voiceapp.console.navigation import OWN_PAGES, PAGES, address_of

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
PAGES_OF_ROWS = [each for each in admin.site._registry.values() if isinstance(each, TenantAdmin)]
NAMED = [(route, area) for _, pages in PAGES for *_, route, area in pages]
# Organizations are made by superusers alone.
ADDED_BY_NONE = {"Organization"}


def test_the_sidebar_and_the_page_name_the_same_area() -> None:
    areas = {f"{each.opts.app_label}_{each.opts.model_name}": each.area for each in PAGES_OF_ROWS}
    assert {route: area for route, area in NAMED if route not in OWN_PAGES} == {
        route: areas[route] for route, _ in NAMED if route not in OWN_PAGES
    }


@pytest.mark.parametrize("role", Role)
def test_a_page_opens_to_the_roles_of_its_area_alone(role: Role) -> None:
    user = make_user("one", make_organization("Place"), role)
    client = Client()
    client.force_login(user)
    request = RequestFactory().get("/admin/")
    request.user = user
    for page in PAGES_OF_ROWS:
        power = power_of(role, page.area)
        model = page.model.__name__
        assert page.has_view_permission(request) == (power >= Power.VIEW), model
        if model not in ADDED_BY_NONE and not isinstance(page, ReadOnlyAdmin):
            assert not page.has_add_permission(request) or power >= Power.EDIT, model
            assert not page.has_delete_permission(request) or power >= Power.EDIT, model
            assert not page.has_change_permission(request) or power >= Power.OPERATE, model
        if power < Power.VIEW:
            address = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
            assert client.get(address).status_code == 403, address


@pytest.mark.parametrize("role", Role)
def test_the_sidebar_names_every_page_that_opens_and_no_other(role: Role) -> None:
    client = Client()
    client.force_login(make_user("one", make_organization("Place"), role))
    text = client.get("/admin/agents/item/").content.decode()
    named = set(re.findall(r'href="(/admin/[^"?]+)"', text))
    for route, area in NAMED:
        assert (address_of(route) in named) == (power_of(role, area) >= Power.VIEW), route

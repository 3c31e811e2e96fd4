"""What each page would compute for nothing, and the pages that need it."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client

pytestmark = pytest.mark.embedded


def test_a_page_of_ours_does_not_list_what_a_user_may_do_with_each_model(
    client_of_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed(request: HttpRequest, label: str | None = None) -> dict[str, object]:
        raise AssertionError("a fifth of the page's time")

    monkeypatch.setattr(admin.site, "_build_app_dict", listed)
    for address in ("/admin/", "/admin/agents/item/", "/admin/agents/item/add/"):
        assert client_of_alice.get(address).status_code == 200


def test_the_list_of_an_app_and_the_search_of_pages_still_do(client_of_alice: Client, alice: User) -> None:
    assert "/admin/agents/item/" in client_of_alice.get("/admin/agents/").content.decode()
    assert client_of_alice.get("/admin/auth/").status_code == 404
    found = client_of_alice.get("/admin/search/", {"s": "items"}).content.decode()
    assert "/admin/agents/item/" in found

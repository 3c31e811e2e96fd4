"""Which ways to talk the call page offers, and which one is chosen."""

from __future__ import annotations

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.builders import make_organization, make_user

from ..ways import NO_KEY

pytestmark = pytest.mark.django_db


@pytest.fixture
def harbour(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Organization:
    settings.OPENAI_API_KEY, settings.LIVEKIT_HOST = "sk-1", "wss://livekit.example.com"
    monkeypatch.setattr(finders, "find", lambda path: f"/static/{path}")
    return make_organization("Harbour")


def page_of(harbour: Organization, query: str = "") -> str:
    alice = Client()
    alice.force_login(make_user("alice", harbour))
    return alice.get(f"/call/harbour{query}").content.decode()


def chosen_in(page: str) -> str:
    return "".join(re.findall(r'name="way" value="(\w+)" checked', page))


def test_the_shortest_way_is_chosen_and_the_others_are_a_click_away(harbour: Organization) -> None:
    page = page_of(harbour)
    assert chosen_in(page) == "realtime"
    assert 'data-start="/call/harbour/realtime"' in page
    assert 'value="room" data-start="/call/harbour/session"' in page


@pytest.mark.parametrize(("query", "chosen"), [("?way=room", "room"), ("?way=carrier-pigeon", "realtime")])
def test_an_address_can_name_the_way(harbour: Organization, query: str, chosen: str) -> None:
    assert chosen_in(page_of(harbour, query)) == chosen


def test_without_a_key_the_next_way_is_chosen_and_the_page_says_what_is_missing(
    harbour: Organization, settings: Settings
) -> None:
    settings.OPENAI_API_KEY = settings.OPENAI_SECRET_ID = ""
    page = page_of(harbour)
    assert chosen_in(page) == "room"
    assert str(NO_KEY) in page

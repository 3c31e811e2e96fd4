"""Pages of daily work in their reader's language, and what they learn while they are open."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agents.organizations.models import Organization, UserSettings

from .world import World

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
DAILY = {
    "/admin/": ("Zahlen von heute", "Braucht Aufmerksamkeit", "Bestelltafel", "Einstellungen", "Abmelden"),
    "/admin/live/": ("Laufende Anrufe", "Frühere Anrufe"),
    "/admin/voice_sessions/call/": ("Ansichten, Filter und Export", "Grund des Endes", "Gespeicherte Ansichten"),
    "/admin/voice_sessions/order/": ("Bestelltafel", "Annehmen", "Als erledigt markieren"),
}


@pytest.fixture
def german(client_of_alice: Client, alice: User, harbour: World) -> Client:
    UserSettings.objects.create(user=alice, language="de")
    return client_of_alice


@pytest.mark.parametrize("address", DAILY)
def test_a_page_of_daily_work_is_in_the_users_language(german: Client, address: str) -> None:
    page = german.get(address).content.decode()
    assert '<html lang="de"' in page
    for words in DAILY[address]:
        assert words in page, words


def test_what_an_open_board_learns_is_in_its_language(german: Client) -> None:
    board = f"/admin/orders/board/{Organization.objects.get(memberships__user__username='alice').pk}/"
    page = german.get(board).content.decode()
    assert "Neue Bestellungen hier drucken" in page
    assert "Neue Bestellung Nr." in page
    cards = "".join(str(event["data"]) for event in german.get(f"{board}feed?poll=1").json()["events"])
    assert "Bestellung Nr." in cards
    assert "order No." not in cards

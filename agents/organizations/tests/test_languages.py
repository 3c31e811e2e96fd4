"""Each page is in its reader's language; the API is in English."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agents.organizations.models import Membership, Organization, UserSettings

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
CHANGE_PASSWORD = {
    "en": "Change password",
    "de": "Passwort ändern",
    "es": "Cambiar contraseña",
    "fr": "Modifier le mot de passe",
}


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", password="x", is_staff=True)


@pytest.fixture
def harbour(alice: User) -> Organization:
    organization = Organization.objects.create(name="Harbour", slug="harbour")
    Membership.objects.create(organization=organization, user=alice, role="owner")
    return organization


def language_shown(user: User, accepted: str = "") -> str:
    client = Client(headers={"Accept-Language": accepted} if accepted else {})
    client.force_login(user)
    return language_in(client.get("/admin/password_change/").content.decode())


def language_in(page: str) -> str:
    found = [
        code for code, words in CHANGE_PASSWORD.items() if f">{words}<" in "".join(page.split("\n")) or words in page
    ]
    assert len(found) == 1, found
    assert f'<html lang="{found[0]}"' in page
    return found[0]


def test_the_users_choice_comes_before_the_organizations_and_that_before_the_browsers(
    alice: User, harbour: Organization
) -> None:
    assert language_shown(alice) == "en"
    assert language_shown(alice, "fr-CH, fr;q=0.9, en;q=0.8") == "fr"
    assert language_shown(alice, "nl, ja") == "en"
    Organization.objects.update(language="es")
    assert language_shown(alice, "fr") == "es"
    UserSettings.objects.create(user=alice, language="de")
    assert language_shown(alice, "fr") == "de"


def test_organizations_that_differ_leave_it_to_the_browser(alice: User, harbour: Organization) -> None:
    Organization.objects.update(language="es")
    other = Organization.objects.create(name="Meadow", slug="meadow", language="fr")
    Membership.objects.create(organization=other, user=alice, role="viewer")
    assert language_shown(alice) == "en"


def test_a_user_chooses_a_language_and_takes_it_back(alice: User, harbour: Organization) -> None:
    client = Client()
    client.force_login(alice)
    menu = client.get("/admin/password_change/").content.decode()
    assert 'action="/admin/language"' in menu
    chosen = client.post("/admin/language", {"language": "de", "next": "/admin/password_change/"}, follow=True)
    assert language_in(chosen.content.decode()) == "de"
    assert UserSettings.objects.get(user=alice).language == "de"
    client.post("/admin/language", {"language": ""})
    assert language_in(client.get("/admin/password_change/").content.decode()) == "en"


@pytest.mark.parametrize("language", ["xx", "../../etc", "de" * 500, "<b>"])
def test_an_unknown_language_is_none(alice: User, harbour: Organization, language: str) -> None:
    client = Client()
    client.force_login(alice)
    response = client.post("/admin/language", {"language": language, "next": "https://evil.example/"})
    assert response.headers["Location"] == "/admin/"
    assert UserSettings.objects.get(user=alice).language == ""


def test_the_home_page_follows_the_browser(client: Client) -> None:
    page = client.get("/", headers={"Accept": "text/html", "Accept-Language": "es"}).content.decode()
    assert '<html lang="es">' in page
    assert "Su teléfono está atendido" in page


def test_the_api_answers_in_english_whatever_the_browser_says(client: Client) -> None:
    body = client.get("/api/voice/session/x", headers={"Accept-Language": "de"}).content.decode()
    assert body.isascii()
    assert "Anmeld" not in body

"""The call page speaks the organization's language, or the one that its address names."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from agents.call_page.models import CallAccess, CallPage
from agents.organizations.models import Organization
from sessions.calls.caller_sentences import caller_sentence
from sessions.calls.end_reasons import EndReason

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def page(harbour: Organization) -> str:
    CallPage.objects.create(organization=harbour, who_may_call=CallAccess.LINK)
    return f"/call/{harbour.slug}"


def opened(address: str, *, accepted: str = "en") -> str:
    return Client(headers={"Accept-Language": accepted}).get(address).content.decode()


def script_texts(page: str) -> dict[str, str]:
    found = re.search(r'<script id="script-texts" type="application/json">(.*?)</script>', page, re.S)
    assert found
    texts: dict[str, str] = json.loads(found[1])
    return texts


def test_the_address_comes_before_the_organization_and_that_before_the_browser(page: str) -> None:
    assert '<html lang="fr">' in opened(page, accepted="fr")
    Organization.objects.update(language="es")
    spanish = opened(page, accepted="fr")
    assert '<html lang="es">' in spanish
    assert "Hable con el agente" in spanish
    german = opened(f"{page}?lang=de", accepted="fr")
    assert '<html lang="de">' in german
    assert "Sprechen Sie mit dem Agenten" in german
    assert '<html lang="es">' in opened(f"{page}?lang=%3Cb%3E", accepted="fr")


def test_its_scripts_get_their_texts_in_that_language(page: str) -> None:
    assert script_texts(opened(page)) == {}
    texts = script_texts(opened(f"{page}?lang=de"))
    assert texts["Listening"] == "Hört zu"
    assert texts["Booking the appointment…"] == "Termin wird gebucht…"


def test_what_its_scripts_request_answers_in_the_language_of_the_page(page: str) -> None:
    headers = {"Accept-Language": "fr", "X-Visitor-Token": "forged"}
    refused = Client().post(f"{page}/session", "{}", content_type="application/json", headers=headers)
    assert refused.json()["message"] == "Cette page appartient à autre chose. Rechargez-la."


def test_why_a_call_has_ended_is_said_in_the_language_of_the_page() -> None:
    assert caller_sentence(EndReason.STREAM_LOST, "es") == "La conexión se cortó. Compruebe su red y llame de nuevo."
    assert caller_sentence(EndReason.STREAM_LOST).startswith("The connection broke off.")

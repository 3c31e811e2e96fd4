"""`/health` and `/`: for any Host, over plain http, without the database."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from voiceapp.core.serving import serving

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
# None of these tests may touch the database: without the `db` fixture pytest-django refuses every query.


@pytest.fixture(autouse=True)
def behind_https(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["voice.example.com"]
    settings.SECURE_SSL_REDIRECT = True


@pytest.fixture
def no_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "live_calls", 0)


@pytest.mark.usefixtures("no_calls")
def test_health_says_status_version_and_sessions(client: Client, settings: Settings) -> None:
    assert client.get("/health").json() == {"status": "ok", "version": settings.VERSION, "activeSessions": 0}


def test_health_counts_the_calls_of_this_process(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "live_calls", 7)
    assert client.get("/health").json()["activeSessions"] == 7


@pytest.mark.parametrize("host", ["10.0.0.7:8080", "x:99999", "localhost", "evil.example", "[::1]", "a b", ""])
@pytest.mark.parametrize("path", ["/", "/health"])
def test_any_host_is_answered(client: Client, path: str, host: str) -> None:
    response = client.get(path, headers={"Host": host})
    assert response.status_code == 200
    assert response.json()["status"] == "ok"


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_a_machine_gets_the_status_at_home(client: Client, accept: str) -> None:
    response = client.get("/", headers={"Accept": accept})
    assert response.json() == {"status": "ok"}
    assert "Accept" in response["Vary"]


def test_the_first_step_is_to_talk_with_the_demo(client: Client, settings: Settings) -> None:
    settings.DEMO_ORGANIZATION = "bella-napoli"
    page = client.get("/", headers={"Accept": BROWSER}).content.decode()
    assert page.index('href="/call/bella-napoli"') < page.index('class="button" href="/admin/"')
    settings.DEMO_ORGANIZATION = ""
    assert "/call/" not in client.get("/", headers={"Accept": BROWSER}).content.decode()


def test_a_browser_gets_a_page_that_leads_on(client: Client, settings: Settings) -> None:
    settings.SIMULATORS = ["openai", "twilio"]
    response = client.get("/", headers={"Accept": BROWSER})
    page = response.content.decode()
    assert response["Content-Type"].startswith("text/html")
    assert 'href="/admin/"' in page
    assert "OpenAI, Twilio" in page
    assert "/health/ready" in page


def test_the_page_has_no_inline_script_or_style_and_a_strict_policy(client: Client) -> None:
    response = client.get("/", headers={"Accept": BROWSER})
    page = response.content.decode()
    assert "<script" not in page
    assert "<style" not in page
    assert "style=" not in page
    assert "default-src 'self'" in response["Content-Security-Policy"]


def test_without_simulators_the_page_says_that_calls_are_real(client: Client, settings: Settings) -> None:
    settings.SIMULATORS = []
    assert "calls are real" in client.get("/", headers={"Accept": BROWSER}).content.decode()


@pytest.mark.parametrize("path", ["/", "/health"])
def test_a_head_request_is_answered_without_a_body(client: Client, path: str) -> None:
    response = client.head(path)
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("path", ["/", "/health", "/health/ready"])
def test_nothing_can_be_posted_there(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405

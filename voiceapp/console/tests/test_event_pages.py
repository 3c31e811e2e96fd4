"""Provider events are shown with their state; those who operate an organization retry failed ones."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sessions.calls.models import Call
from telephony.events.inbox import inbox
from telephony.events.models import ProviderEvent

from .world import World

LIST = "/admin/telephony/providerevent/"


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    times: list[str] = []
    monkeypatch.setattr(inbox, "wake_up", times.append)
    return times


@pytest.fixture
def failed_event(harbour: World) -> ProviderEvent:
    return ProviderEvent.objects.create(
        source="livekit",
        dedup_key="EV_1",
        kind="participant_joined",
        call=harbour[Call],
        partition_key="support-key_7",
        state="failed",
        attempts=8,
        last_error="livekit: no response in time",
        fields={"event": "participant_joined", "participant": {"identity": "caller-1", "sid": "PA_1"}},
    )


def press(client: Client, event: ProviderEvent) -> int:
    address = reverse("admin:telephony_providerevent_press", args=(event.pk, "retry"))
    status = client.post(address).status_code
    event.refresh_from_db()
    return status


def test_an_event_is_shown_with_its_state_and_what_it_is_about(
    client_of_alice: Client, failed_event: ProviderEvent
) -> None:
    page = client_of_alice.get(LIST).content.decode()
    for words in ("failed", "room support-key_7, participant caller-1", "livekit: no response in time"):
        assert words in page
    page = client_of_alice.get(f"{LIST}{failed_event.pk}/change/").content.decode()
    assert "&quot;sid&quot;: &quot;PA_1&quot;" in page
    assert "Retry" in page


def test_the_home_page_says_that_events_failed(client_of_alice: Client, failed_event: ProviderEvent) -> None:
    assert "1 provider event failed" in client_of_alice.get("/admin/").content.decode()


def test_it_is_retried_by_its_button(client_of_alice: Client, failed_event: ProviderEvent) -> None:
    assert press(client_of_alice, failed_event) == 302
    assert (failed_event.state, failed_event.attempts) == ("waiting", 0)
    address = f"{LIST}{failed_event.pk}/change/"
    assert "Retry" in client_of_alice.get(address).content.decode()
    ProviderEvent.objects.update(state="done")
    assert "Retry" not in client_of_alice.get(address).content.decode()


def test_several_are_retried_at_once(client_of_alice: Client, failed_event: ProviderEvent, harbour: World) -> None:
    chosen = {
        "action": "retry_chosen",
        "_selected_action": [failed_event.pk, harbour[ProviderEvent].pk],
        "index": "0",
    }
    page = client_of_alice.post(LIST, chosen, follow=True).content.decode()
    assert "1 event retried." in page
    assert "1 of the selected are done already" in page
    failed_event.refresh_from_db()
    assert failed_event.state == "waiting"


@pytest.mark.parametrize("role", ["staff", "viewer", "kitchen"])
def test_other_roles_cannot_retry(harbour: World, failed_event: ProviderEvent, client: Client, role: str) -> None:
    client.force_login(harbour.member(role))
    assert press(client, failed_event) in (302, 403, 404)
    assert failed_event.state == "failed"


def test_a_stranger_finds_no_event(meadow: World, failed_event: ProviderEvent, client: Client) -> None:
    client.force_login(User.objects.get(username="charlie-meadow"))
    assert press(client, failed_event) in (302, 404)
    assert failed_event.state == "failed"
    assert "support-key_7" not in client.get(LIST).content.decode()


def test_an_event_of_no_call_is_for_those_who_run_the_server(
    client_of_alice: Client, failed_event: ProviderEvent, client: Client
) -> None:
    ProviderEvent.objects.update(call=None)
    assert "support-key_7" not in client_of_alice.get(LIST).content.decode()
    client.force_login(User.objects.create_superuser("root"))
    assert "support-key_7" in client.get(LIST).content.decode()
    assert press(client, failed_event) == 302
    assert failed_event.state == "waiting"


def test_a_superuser_sees_what_was_refused_and_why(failed_event: ProviderEvent, settings: Settings) -> None:
    refused = ProviderEvent.objects.create(
        source="twilio", dedup_key="refused:1", kind="start", verdict="refused", reason="wrong signature",
        fields={"path": "/twiml/start"},
    )  # fmt: skip
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    page = root.get(f"{LIST}?verdict__exact=refused").content.decode()
    assert "Refused: wrong signature" in page
    assert "support-key_7" not in page
    settings.ENVIRONMENT = "dev"
    assert "nothing of its content is stored" in root.get(f"{LIST}{refused.pk}/change/").content.decode()


def test_an_event_is_replayed_in_development_alone(
    client_of_alice: Client, failed_event: ProviderEvent, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setitem(inbox._handlers, "livekit", lambda event: seen.append(event.pk))
    ProviderEvent.objects.update(state="done", last_error="")
    address = f"{LIST}{failed_event.pk}/change/"
    pressed = reverse("admin:telephony_providerevent_press", args=(failed_event.pk, "replay"))
    settings.ENVIRONMENT = "prod"
    assert "only where ENVIRONMENT is dev" in client_of_alice.get(address).content.decode()
    assert "no longer possible" in client_of_alice.post(pressed, follow=True).content.decode()
    settings.ENVIRONMENT = "dev"
    assert "The event was replayed" in client_of_alice.post(pressed, follow=True).content.decode()
    assert seen == [failed_event.pk]

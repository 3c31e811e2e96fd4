"""Each endpoint gets the events it wants, in order; every attempt is logged, and one that fails for days is paused."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.audit_log.models import AuditEntry
from agents.organizations.models import Organization
from agents.tests.builders import make_agent, make_organization
from sessions import tasks
from sessions.calls.end_reasons import EndReason
from sessions.calls.services import finish_call
from sessions.messages.endpoints.events import CHOOSABLE, WebhookEvent
from sessions.messages.endpoints.models import WebhookAttempt, WebhookEndpoint
from sessions.messages.endpoints.services.announcing import announce_event
from sessions.messages.endpoints.services.endpoints import (
    check_url,
    pause_endpoint,
    purge_attempts,
    replay_undelivered,
    resume_endpoint,
    rotate_secret,
    send_test,
)
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.messages.texts.services.incoming import receive_text
from sessions.tests.builders import make_call, make_endpoint
from voiceapp.core.errors import ApplicationError
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.webhook_receiver import PROVIDER, Attempt, WebhookReceiver

pytestmark = pytest.mark.django_db

State = OutboxMessage.State


class Receivers:
    """Answers for every URL: `statuses` by URL, 200 otherwise."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, object]] = []
        self.secrets: list[str] = []
        self.statuses: dict[str, int] = {}

    def post(self, url: str, *, secrets: list[str], webhook_id: str, body: bytes) -> Attempt:
        self.got.append((url, webhook_id, json.loads(body)["data"].get("n", "")))
        self.secrets = secrets
        status = self.statuses.get(url, 200)
        fault = None if status == 200 else ProviderError(PROVIDER, f"returned {status}", permanent=status < 500)
        return Attempt({"webhook-id": webhook_id}, duration_ms=7, status=status, body="said", fault=fault)


@pytest.fixture
def receivers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receivers]:
    found = Receivers()
    monkeypatch.setattr(WebhookReceiver, "post", lambda _, url, **what: found.post(url, **what))
    return found  # type: ignore[return-value]


@pytest.fixture
def organization() -> Organization:
    return make_organization()


def happens(organization: Organization, n: int, row: str = "order:1") -> int:
    return announce_event(
        WebhookEvent.ORDER_SUBMITTED, organization_id=organization.pk, about=row, data=lambda: {"n": n}
    )


def due_now() -> None:
    OutboxMessage.objects.update(due_at=timezone.now())


def test_each_endpoint_gets_its_events_and_one_that_fails_delays_no_other(
    organization: Organization, receivers: Receivers
) -> None:
    make_endpoint(organization, "https://a.example")
    make_endpoint(organization, "https://b.example")
    make_endpoint(organization, "https://calls.example", events=("call.",))
    make_endpoint(make_organization("Other"), "https://other.example")
    receivers.statuses["https://a.example"] = 500
    assert [happens(organization, n) for n in (1, 2)] == [2, 2]
    assert tasks.sweep_outbox() == 2
    assert [(url, n) for url, _, n in receivers.got] == [
        ("https://a.example", 1), ("https://b.example", 1), ("https://b.example", 2),
    ]  # fmt: skip
    receivers.statuses.clear()
    due_now()
    assert tasks.sweep_outbox() == 2
    assert [n for url, _, n in receivers.got if url == "https://a.example"] == [1, 1, 2], "in order"
    ids = [id_ for url, id_, n in receivers.got if (url, n) == ("https://a.example", 1)]
    assert len(set(ids)) == 1, "a repetition has the same id"


def test_every_attempt_is_kept_with_its_response_for_some_days(
    organization: Organization, receivers: Receivers, settings: Settings
) -> None:
    endpoint = make_endpoint(organization)
    receivers.statuses[endpoint.url] = 503
    happens(organization, 1)
    tasks.sweep_outbox()
    receivers.statuses.clear()
    due_now()
    tasks.sweep_outbox()
    log = list(WebhookAttempt.objects.values_list("status", "error", "duration_ms", "response_body"))
    assert log == [(503, "webhook endpoint: returned 503", 7, "said"), (200, "", 7, "said")]
    settings.WEBHOOK_LOG_DAYS = 30
    WebhookAttempt.objects.filter(status=503).update(at=timezone.now() - dt.timedelta(days=31))
    assert purge_attempts() == 1
    assert WebhookAttempt.objects.get().status == 200


def test_a_receiver_that_is_down_for_a_night_gets_everything_without_anybodys_help(
    organization: Organization, receivers: Receivers
) -> None:
    endpoint = make_endpoint(organization)
    receivers.statuses[endpoint.url] = 500
    happens(organization, 1, "order:1")
    OutboxMessage.objects.update(attempts=9, created_at=timezone.now() - dt.timedelta(hours=12))
    tasks.sweep_outbox()
    message = OutboxMessage.objects.get()
    assert message.state == State.WAITING
    assert dt.timedelta(minutes=59) < message.due_at - timezone.now() <= dt.timedelta(hours=1)
    receivers.statuses.clear()
    happens(organization, 2, "order:2")
    assert tasks.sweep_outbox() == 2, "the first one that arrives releases those that wait"


def test_one_that_failed_for_days_is_paused_and_keeps_its_events(
    organization: Organization, receivers: Receivers
) -> None:
    endpoint = make_endpoint(organization)
    receivers.statuses[endpoint.url] = 404
    happens(organization, 1)
    tasks.sweep_outbox()
    endpoint.refresh_from_db()
    assert (endpoint.is_paused, endpoint.failing_since is None) == (False, False)
    WebhookEndpoint.objects.update(failing_since=timezone.now() - dt.timedelta(days=3, minutes=1))
    happens(organization, 2)
    tasks.sweep_outbox()
    endpoint.refresh_from_db()
    assert endpoint.is_paused
    assert endpoint.pause_reason == (
        "Every delivery has failed for 3 days. The last one: webhook endpoint: returned 404."
    )
    happens(organization, 3)
    tasks.sweep_outbox()
    assert list(OutboxMessage.objects.values_list("state", flat=True)) == [
        State.FAILED,
        State.FAILED,
        State.UNCONFIGURED,
    ]
    with pytest.raises(ApplicationError, match="resume it first"):
        replay_undelivered(endpoint)
    receivers.statuses.clear()
    receivers.got.clear()
    resume_endpoint(endpoint)
    assert replay_undelivered(endpoint) == 3
    assert tasks.sweep_outbox() == 3
    assert [n for _, _, n in receivers.got] == [1, 2, 3]
    assert replay_undelivered(endpoint) == 0


def test_an_endpoint_that_is_gone_is_paused_at_once(organization: Organization, receivers: Receivers) -> None:
    endpoint = make_endpoint(organization)
    receivers.statuses[endpoint.url] = 410
    happens(organization, 1)
    tasks.sweep_outbox()
    endpoint.refresh_from_db()
    assert endpoint.pause_reason.startswith("It responded 410 Gone")
    entry = AuditEntry.objects.get()
    assert (entry.via, entry.place, entry.name) == ("worker", "webhook deliveries", str(endpoint))


def test_a_delivered_event_is_replayed_with_the_same_id(organization: Organization, receivers: Receivers) -> None:
    make_endpoint(organization)
    happens(organization, 1)
    tasks.sweep_outbox()
    assert outbox.retry(OutboxMessage.objects.all()) == 0
    assert outbox.retry(OutboxMessage.objects.all(), also_done=True) == 1
    assert tasks.sweep_outbox() == 1
    assert len(receivers.got) == 2
    assert len(set(receivers.got)) == 1
    assert WebhookAttempt.objects.count() == 2


def test_events_of_an_endpoint_that_was_deleted_wait_for_nobody(
    organization: Organization, receivers: Receivers
) -> None:
    endpoint = make_endpoint(organization)
    happens(organization, 1)
    endpoint.delete()
    tasks.sweep_outbox()
    message = OutboxMessage.objects.get()
    assert (message.state, message.last_error) == (State.UNCONFIGURED, "The endpoint was deleted.")


def test_after_a_rotation_both_secrets_sign_for_a_day(organization: Organization, receivers: Receivers) -> None:
    endpoint = make_endpoint(organization)
    earlier = endpoint.secret
    secret = rotate_secret(endpoint)
    assert secret.startswith("whsec_")
    happens(organization, 1)
    tasks.sweep_outbox()
    assert receivers.secrets == [secret, earlier]
    endpoint.refresh_from_db()
    assert endpoint.secrets_at(timezone.now() + dt.timedelta(hours=25)) == [secret]
    assert secret not in str(WebhookEndpoint.objects.values().get())


def test_a_secret_moved_to_another_endpoint_signs_nothing(organization: Organization, receivers: Receivers) -> None:
    one, other = make_endpoint(organization), make_endpoint(organization)
    WebhookEndpoint.objects.filter(pk=other.pk).update(sealed_secret=one.sealed_secret)
    one.delete()
    happens(organization, 1)
    tasks.sweep_outbox()
    assert receivers.got == []
    assert "Choose “Rotate secret”" in OutboxMessage.objects.get().last_error
    other.refresh_from_db()
    rotate_secret(other)
    outbox.retry(OutboxMessage.objects.all())
    assert tasks.sweep_outbox() == 1


def test_a_test_event_is_sent_at_once_and_logged(organization: Organization, receivers: Receivers) -> None:
    endpoint = make_endpoint(organization)
    attempt = send_test(endpoint)
    assert attempt is not None
    assert (attempt.status, attempt.message.event, attempt.message.state) == (200, "webhook.test", State.DONE)
    receivers.statuses[endpoint.url] = 503
    failed = send_test(endpoint)
    assert failed is not None
    assert (failed.status, failed.message.state) == (503, State.FAILED), "no test is repeated"
    pause_endpoint(endpoint)
    with pytest.raises(ApplicationError, match="paused"):
        send_test(endpoint)


def test_the_end_of_a_call_and_a_customers_text_are_events(organization: Organization) -> None:
    make_endpoint(organization, events=("call.", "text."))
    call = make_call(make_agent(organization), connected_at=timezone.now() - dt.timedelta(seconds=65))
    assert finish_call(call.pk, reason=EndReason.CALLER_HUNG_UP)
    assert not finish_call(call.pk, reason=EndReason.STREAM_LOST)
    receive_text(organization, sid="SM1", number="+4915112345678", our_number="+493023125001", body="Hello")
    ended, text = (message.body["data"] for message in OutboxMessage.objects.order_by("id"))
    expected = {
        "id": str(call.pk), "state": "completed", "endReason": "caller_hung_up", "callerNumber": "+4915112345678",
        "durationSeconds": 65,
    }  # fmt: skip
    assert ended.items() >= expected.items()
    assert text.items() >= {"customerNumber": "+4915112345678", "body": "Hello", "state": "received"}.items()


@pytest.mark.parametrize(
    "url",
    ["http://example.com/hook", "https://127.0.0.1/", "https://10.0.0.1/hook", "https://user:x@example.com/", "ftp://a.b",
     "https://[::1]/", "https://intranet/hook", "hook"],
)  # fmt: skip
def test_an_address_that_nothing_can_be_posted_to_is_refused_when_it_is_entered(url: str, settings: Settings) -> None:
    settings.SIMULATORS, settings.DEBUG = [], False
    with pytest.raises(ApplicationError, match="Nothing can be posted there"):
        check_url(url)
    check_url("https://hooks.example.com/in?key=1")


def test_every_event_can_be_chosen_except_the_test() -> None:
    assert set(WebhookEvent) - set(CHOOSABLE) == {WebhookEvent.TEST}

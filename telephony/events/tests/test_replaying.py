"""A stored webhook runs through its service again, in development only, and as far as it was not redacted."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from agents.tests.builders import make_agent, make_organization
from sessions.calls.models import Call, CallState
from sessions.tests.builders import make_call
from telephony.events.inbox import inbox
from telephony.events.models import ProviderEvent, Verdict
from telephony.events.replaying import obstacle_of, replay_event
from telephony.twilio.services.statuses import note_call_status
from telephony.twilio.webhook_notes import note_webhook
from voiceapp.core.errors import ApplicationError

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def development(settings: Settings) -> None:
    settings.ENVIRONMENT = "dev"


@pytest.fixture
def call() -> Call:
    return make_call(make_agent(make_organization()))


def test_a_call_status_ends_the_call_again(call: Call) -> None:
    note_call_status(str(call.carrier_sid), status="completed", sequence=3, duration_s=12)
    Call.objects.update(state=CallState.CONNECTED, end_reason="", ended_at=None)
    event = ProviderEvent.objects.get(kind="call.completed")
    assert "replayed" in replay_event(event)
    call.refresh_from_db()
    assert not call.is_live
    assert ProviderEvent.objects.filter(kind="call.completed").count() == 1


def test_an_event_of_the_inbox_is_processed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setitem(inbox._handlers, "livekit", lambda event: seen.append(event.pk))
    event = ProviderEvent.objects.create(source="livekit", dedup_key="EV", kind="room_started", state="done")
    replay_event(event)
    event.refresh_from_db()
    assert (seen, event.state, event.attempts) == ([event.pk], "done", 1)


def test_what_was_redacted_cannot_be_replayed_and_says_so(call: Call) -> None:
    form = {"CallSid": str(call.carrier_sid), "From": "+4915112345678", "Body": "Hello", "Digits": "1234"}
    note_webhook("message", form, {"orgId": "a", "token": "secret"})
    note_webhook("message", form, {"orgId": "a", "token": "secret"})
    event = ProviderEvent.objects.get()
    assert event.fields == {"CallSid": call.carrier_sid, "From": "…78", "address": {"orgId": "a"}}
    assert (event.call, event.verdict) == (call, Verdict.VERIFIED)
    with pytest.raises(ApplicationError, match="The text and its number were redacted"):
        replay_event(event)


@pytest.mark.parametrize(
    ("source", "kind", "verdict", "why"),
    [
        ("twilio", "start", Verdict.REFUSED, "It was refused"),
        ("twilio", "webhook.message", Verdict.VERIFIED, "The text and its number were redacted."),
        ("twilio", "webhook.transfer_pressed", Verdict.VERIFIED, "It asked what the call does next"),
        ("vapi", "tool-calls", Verdict.VERIFIED, "VAPI waited for the answer"),
        ("vapi", "end-of-call-report", Verdict.VERIFIED, "Its words were removed"),
        ("livekit", "room_started", Verdict.VERIFIED, ""),
    ],
)
def test_each_kind_says_whether_it_can_be_replayed(source: str, kind: str, verdict: str, why: str) -> None:
    found = obstacle_of(ProviderEvent(source=source, kind=kind, verdict=verdict))
    assert found.startswith(why)
    assert bool(found) == bool(why)


def test_elsewhere_nothing_is_replayed(settings: Settings) -> None:
    settings.ENVIRONMENT = "prod"
    event = ProviderEvent.objects.create(source="livekit", dedup_key="EV", kind="room_started")
    with pytest.raises(ApplicationError, match="only where ENVIRONMENT is dev"):
        replay_event(event)

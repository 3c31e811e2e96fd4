"""Refused webhooks are kept as a sample: a stranger who floods us does not fill the database."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from telephony import tasks
from telephony.events import refusals
from telephony.events.models import ProviderEvent, Verdict
from telephony.events.refusals import KEPT_PER_HOUR, Sampler, note_refusal

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 12, 1, 12, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has refused nothing yet."""
    monkeypatch.setattr(refusals, "sampler", Sampler())


def refuse(times: int = 1, source: str = "twilio") -> None:
    request = RequestFactory().post("/twiml/start?secret=1", {"From": "+15551234"}, headers={"user-agent": "evil\x00"})
    for _ in range(times):
        note_refusal(source, webhook="start", reason="wrong signature", request=request)


def test_a_refusal_is_kept_with_its_reason_and_without_its_content() -> None:
    refuse()
    kept = ProviderEvent.objects.get()
    assert (kept.verdict, kept.reason, kept.kind, kept.state) == (Verdict.REFUSED, "wrong signature", "start", "done")
    assert kept.fields.items() >= {"path": "/twiml/start", "userAgent": "evil"}.items()
    assert "1234" not in str(kept.fields)


def test_a_flood_is_kept_as_a_sample(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        refuse(KEPT_PER_HOUR + 500)
        assert ProviderEvent.objects.count() == KEPT_PER_HOUR
        with django_assert_num_queries(0):
            refuse(100)
        clock.shift(60)
        refuse(50)
        refuse(source="livekit")
        kept = ProviderEvent.objects.filter(source="twilio").order_by("-id")
        assert kept.count() == KEPT_PER_HOUR + 1
        assert kept[0].fields["others"] == 600
        assert ProviderEvent.objects.filter(source="livekit").count() == 1
        clock.shift(3600)
        refuse()
        assert kept.all().count() == KEPT_PER_HOUR + 2


def test_several_processes_keep_no_more_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with time_machine.travel(NOON, tick=False):
        for _ in range(4):
            monkeypatch.setattr(refusals, "sampler", Sampler())
            refuse(KEPT_PER_HOUR * 2)
    assert ProviderEvent.objects.count() == KEPT_PER_HOUR + 1


def test_they_are_deleted_before_other_events(settings: Settings) -> None:
    settings.WEBHOOK_LOG_DAYS = 30
    refuse()
    ProviderEvent.objects.create(source="livekit", dedup_key="a", kind="noted", done_at=timezone.now())
    ProviderEvent.objects.update(created_at=timezone.now() - dt.timedelta(days=31))
    assert tasks.purge_inbox() == 1
    assert ProviderEvent.objects.get().verdict == Verdict.VERIFIED

"""However often a rule is true: one alert, one notification, a reminder a day; also if a process dies or two run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.core import mail
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.tests.builders import make_organization, make_user
from sessions.alerts.finding import Finding, Verdict
from sessions.alerts.kinds import SPECS, AlertKind
from sessions.alerts.models import Alert, AlertRule
from sessions.alerts.rules.registry import FINDERS
from sessions.alerts.services import evaluating, handling, settling
from sessions.alerts.services.evaluating import claim, evaluate, evaluate_due
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.messages.texts.models import Text
from sessions.tests.builders import make_endpoint
from telephony.twilio.models import PhoneNumber

from .builders import rule_of

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 27, 19, 0, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
Set = Callable[[Verdict], None]


@pytest.fixture
def place(settings: Settings) -> Organization:
    """Alice owns it, and is notified by e-mail, as a colleague is; a webhook endpoint and a phone are notified, too."""
    settings.EMAIL_URL = "memorymail://"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC1", "token"
    place = make_organization(country="DE")
    PhoneNumber.objects.create(organization=place, number="+493023125001")
    alice = make_user("alice", place)
    alice.email = "alice@example.com"
    alice.save()
    make_user("kim", place, role=Role.KITCHEN)
    make_endpoint(place, events=("alert.",))
    rule_of(place, AlertKind.SPEND, emails="bob@example.com", numbers="+4915112300001")
    return place


@pytest.fixture
def found(place: Organization, monkeypatch: pytest.MonkeyPatch) -> Set:
    """What the rule finds from now on; true at first."""
    verdicts = [Verdict.TRUE]

    def find(rule: AlertRule, now: dt.datetime) -> list[Finding]:
        return [Finding(verdicts[-1], now, {"usd": "60.00", "budget": "50.00", "days": 1})]

    monkeypatch.setitem(FINDERS, AlertKind.SPEND, find)
    return verdicts.append


def notified() -> list[str]:
    """What went out since the last time: e-mails by subject, texts by kind, webhooks by event."""
    outbox.process_due(["alert.mail"])
    subjects = [f"{each.to[0].partition('@')[0]}: {each.subject.partition(': ')[2]}" for each in mail.outbox]
    texts = [text.kind for text in Text.objects.order_by("created_at")]
    events = [message.event for message in OutboxMessage.objects.filter(topic="webhook").order_by("id")]
    mail.outbox.clear()
    Text.objects.all().delete()
    OutboxMessage.objects.all().delete()
    return sorted([*subjects, *texts, *events])


FIRST = ["alert", "alert.raised", "alice: Costs above the budget", "bob: Costs above the budget"]
AGAIN = ["alert", "alice: still: Costs above the budget", "bob: still: Costs above the budget"]
OVER = ["alert.resolved", "alert_resolved", "alice: over: Costs above the budget", "bob: over: Costs above the budget"]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """For there may be no German catalog."""
    monkeypatch.setattr("sessions.alerts.services.mailing.language_of", lambda alert: "en")


def test_a_rule_that_is_true_a_thousand_times_is_one_alert_and_a_reminder_a_day(
    place: Organization, found: Set
) -> None:
    evaluate(place.pk, NOW)
    assert notified() == FIRST
    for minute in range(1, 40):
        evaluate(place.pk, NOW + minute * MINUTE)
    assert notified() == []
    evaluate(place.pk, NOW + DAY + MINUTE)
    assert notified() == AGAIN
    evaluate(place.pk, NOW + 2 * DAY)
    assert notified() == []
    evaluate(place.pk, NOW + 2 * DAY + 2 * MINUTE)
    assert notified() == AGAIN
    alert = Alert.objects.get()
    assert (alert.count, alert.opened_at, alert.last_at) == (43, NOW, NOW + 2 * DAY + 2 * MINUTE)


def test_it_is_over_after_a_while_and_says_so_once(place: Organization, found: Set) -> None:
    evaluate(place.pk, NOW)
    notified()
    found(Verdict.FINE)
    evaluate(place.pk, NOW + MINUTE)
    assert (notified(), Alert.objects.get().status) == ([], Alert.Status.OPEN)
    found(Verdict.UNKNOWN)
    evaluate(place.pk, NOW + 2 * DAY)
    assert notified() == []
    found(Verdict.FINE)
    for hours in (49, 50):
        evaluate(place.pk, NOW + hours * HOUR)
    assert notified() == OVER
    alert = Alert.objects.get()
    assert (alert.status, alert.resolution) == (Alert.Status.RESOLVED, Alert.Resolution.OVER)
    found(Verdict.TRUE)
    evaluate(place.pk, NOW + 51 * HOUR)
    assert notified() == FIRST
    assert Alert.objects.count() == 2


def test_what_can_no_more_be_measured_is_over_after_days(place: Organization, found: Set) -> None:
    evaluate(place.pk, NOW)
    found(Verdict.UNKNOWN)
    evaluate(place.pk, NOW + 3 * DAY + MINUTE)
    assert Alert.objects.get().resolution == Alert.Resolution.NOTHING_TO_MEASURE


def test_a_snoozed_alert_is_silent_also_if_it_ends_and_begins_again(place: Organization, found: Set) -> None:
    evaluate(place.pk, NOW)
    notified()
    handling.snooze(Alert.objects.get(), until=NOW + 3 * DAY, by="alice")
    found(Verdict.FINE)
    evaluate(place.pk, NOW + HOUR)
    assert notified() == ["alert.resolved"]  # software may close what it has opened
    found(Verdict.TRUE)
    evaluate(place.pk, NOW + 2 * HOUR)
    evaluate(place.pk, NOW + 2 * DAY)
    assert notified() == []
    evaluate(place.pk, NOW + 3 * DAY + MINUTE)
    assert notified() == FIRST
    evaluate(place.pk, NOW + 3 * DAY + 2 * MINUTE)
    assert notified() == []


def test_a_snooze_of_an_hour_ends_with_one_reminder(place: Organization, found: Set) -> None:
    evaluate(place.pk, NOW)
    notified()
    handling.snooze(Alert.objects.get(), until=NOW + HOUR, by="alice")
    for minute in (10, 61, 62, 300):
        evaluate(place.pk, NOW + minute * MINUTE)
    assert notified() == AGAIN


def test_nobody_is_reminded_of_what_somebody_takes_care_of(place: Organization, found: Set) -> None:
    evaluate(place.pk, NOW)
    notified()
    assert handling.acknowledge(Alert.objects.get(), by="alice", now=NOW)
    assert not handling.acknowledge(Alert.objects.get(), by="bob", now=NOW)
    evaluate(place.pk, NOW + 5 * DAY)
    assert (notified(), Alert.objects.get().acknowledged_by) == ([], "alice")


def test_a_rule_that_is_turned_off_ends_its_alert(place: Organization, found: Set) -> None:
    evaluate(place.pk, NOW)
    AlertRule.objects.update(is_on=False)
    evaluate(place.pk, NOW + MINUTE)
    assert Alert.objects.get().resolution == Alert.Resolution.SWITCHED_OFF


def test_two_workers_evaluate_an_organization_once_and_open_one_alert(place: Organization, found: Set) -> None:
    assert claim(place.pk, NOW)
    assert not claim(place.pk, NOW + MINUTE / 2)
    assert claim(place.pk, NOW + MINUTE)
    rule = AlertRule.objects.get(kind=AlertKind.SPEND)
    finding = Finding(Verdict.TRUE, NOW, {"usd": "60.00", "budget": "50.00", "days": 1})
    assert settling.open_alert(rule, finding, NOW) is not None
    assert settling.open_alert(rule, finding, NOW) is None  # the other one has not seen it either
    assert notified() == FIRST


def test_a_process_that_dies_while_it_tells_people_has_opened_nothing(
    place: Organization, found: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as death:
        death.setattr(settling, "tell", die)
        with pytest.raises(SystemExit):
            evaluate(place.pk, NOW)
    assert (Alert.objects.count(), notified()) == (0, [])
    evaluate(place.pk, NOW + MINUTE)
    assert notified() == FIRST


def test_what_is_over_before_it_could_be_sent_is_said_once(place: Organization, found: Set) -> None:
    evaluate(place.pk, NOW)
    found(Verdict.FINE)
    evaluate(place.pk, NOW + HOUR)
    assert [each for each in notified() if "alice" in each] == ["alice: over: Costs above the budget"]


def test_one_rule_that_breaks_keeps_no_other_from_being_evaluated(
    place: Organization, found: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    AlertRule.objects.update(is_on=True, evaluated_at=None)
    monkeypatch.setitem(FINDERS, AlertKind.NO_CALLS, lambda *_: 1 / 0)
    monkeypatch.setattr(evaluating.logger, "exception", lambda *_, **__: None)
    assert evaluate_due() == 1
    assert Alert.objects.get().kind == AlertKind.SPEND
    assert evaluate_due() == 0


def test_each_organization_has_the_six_rules_without_setting_up(place: Organization) -> None:
    other = make_organization("Elsewhere")
    evaluate_due()
    rules = AlertRule.objects.filter(organization=other)
    assert {rule.kind for rule in rules} == set(AlertKind) == set(SPECS)
    for rule in rules:
        rule.full_clean()
        assert (rule.is_on, rule.mails_managers) == (True, True)

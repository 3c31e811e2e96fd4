"""When each rule is true, when it is not, and when nothing can be said; and which calls are behind it."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from agents.hours.models import OpeningHours
from agents.hours.schedule import Schedule, Span
from agents.organizations.models import Organization
from agents.tests.builders import make_organization
from sessions.alerts.calls_behind import calls_behind
from sessions.alerts.finding import Verdict
from sessions.alerts.kinds import SPECS, TEXTS, AlertKind
from sessions.alerts.models import Alert, AlertRule
from sessions.alerts.preview import preview
from sessions.alerts.rules.no_calls import earlier, open_since
from sessions.alerts.rules.registry import FINDERS
from sessions.alerts.services.evaluating import evaluate
from sessions.alerts.tests.builders import make_calls, rule_of
from sessions.alerts.wording import happened
from sessions.analytics.services import count_day
from sessions.calls.models import Call, Turn
from sessions.messages.endpoints.models import WebhookAttempt
from sessions.messages.models import OutboxMessage
from sessions.messages.texts.models import Text
from sessions.orders.models import Order
from sessions.tests.builders import make_endpoint
from telephony.twilio.models import PhoneNumber

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

# A Friday at 20:00 in Berlin.
NOW = dt.datetime(2026, 11, 27, 19, 0, tzinfo=dt.UTC)
TRUE, FINE, UNKNOWN = Verdict.TRUE, Verdict.FINE, Verdict.UNKNOWN
HOUR, WEEK = dt.timedelta(hours=1), dt.timedelta(weeks=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def place() -> Organization:
    return make_organization(country="DE")


def verdict(rule: AlertRule, now: dt.datetime = NOW) -> Verdict:
    (found,) = FINDERS[AlertKind(rule.kind)](rule, now)
    return found.verdict


def raised(rule: AlertRule, now: dt.datetime = NOW) -> Alert:
    evaluate(rule.organization_id, now)
    return Alert.objects.get(kind=rule.kind)


def behind(alert: Alert) -> set[object]:
    return set(Call.objects.filter(calls_behind(alert)).values_list("pk", flat=True))


def keys(rows: list[Call]) -> set[object]:
    return {row.pk for row in rows}


def test_failed_calls_are_counted_against_all_that_ended(place: Organization) -> None:
    rule = rule_of(place, AlertKind.FAILED_CALLS)
    assert verdict(rule) is UNKNOWN
    failed = make_calls(place, 2, at=NOW - 5 * MINUTE, state="failed")
    assert verdict(rule) is UNKNOWN  # two of two: too few to say
    failed += make_calls(place, 1, at=NOW - 59 * MINUTE, state="failed")
    make_calls(place, 5, at=NOW - 61 * MINUTE, state="failed")
    make_calls(place, 12, at=NOW - MINUTE)
    make_calls(place, 9, at=NOW, state="connected")
    make_calls(make_organization("Elsewhere"), 9, at=NOW, state="failed")
    assert verdict(rule) is TRUE  # three of fifteen: 20 %
    alert = raised(rule)
    assert behind(alert) == keys(failed)
    assert happened(alert) == "3 of 15 calls failed within 60 minutes (20 %)."
    make_calls(place, 1, at=NOW - MINUTE)
    assert verdict(rule) is FINE


def test_slow_responses_are_judged_by_the_95th_percentile(place: Organization) -> None:
    rule = rule_of(place, AlertKind.SLOW_RESPONSES, threshold=Decimal(3))
    slow, fast = make_calls(place, 2, at=NOW - MINUTE)
    Call.objects.filter(pk=slow.pk).update(slowest_response_ms=4000)
    Turn.objects.bulk_create(Turn(call=slow, number=number, response_ms=4000) for number in range(19))
    assert verdict(rule) is UNKNOWN
    Turn.objects.bulk_create(Turn(call=fast, number=number, response_ms=900) for number in range(361))
    assert verdict(rule) is FINE  # the 361st of 380 is fast
    Turn.objects.create(call=slow, number=99, response_ms=4000)
    assert verdict(rule) is TRUE
    assert behind(raised(rule)) == {slow.pk}


def test_silence_is_an_alert_only_where_calls_are_usual(place: Organization) -> None:
    for weekday in range(7):
        OpeningHours.objects.create(organization=place, weekday=weekday, opens_at=dt.time(17), closes_at=dt.time(22))
    rule = rule_of(place, AlertKind.NO_CALLS)
    assert verdict(rule) is UNKNOWN  # a new organization
    usual = [call for week in (1, 2) for call in make_calls(place, 2, at=NOW - week * WEEK - HOUR)]
    make_calls(place, 9, at=NOW - 3 * WEEK - 4 * HOUR)  # at another time
    assert verdict(rule) is UNKNOWN
    usual += make_calls(place, 2, at=NOW - 4 * WEEK - 2 * HOUR)
    make_calls(place, 1, at=NOW - HOUR, direction="outbound")
    assert verdict(rule) is TRUE
    assert preview(rule, NOW) == 1
    alert = raised(rule)
    assert behind(alert) == keys(usual)
    assert "No call came in for 3 open hours" in happened(alert)
    assert verdict(rule, NOW - 2 * HOUR) is UNKNOWN  # open for an hour: the evening before counts, too
    assert verdict(rule, NOW + 5 * HOUR) is UNKNOWN  # closed
    make_calls(place, 1, at=NOW - MINUTE, state="missed")
    assert verdict(rule) is FINE
    assert verdict(rule, NOW - 24 * HOUR) is UNKNOWN  # a Thursday, of which nothing is known


def test_open_hours_are_counted_across_breaks_days_and_changes_of_clocks() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    spans = (Span(dt.time(11), dt.time(14)), Span(dt.time(17), dt.time(22)))
    schedule = Schedule(berlin, dict.fromkeys(range(7), spans))

    def since(day: int, hour: int, month: int = 11) -> str:
        found = open_since(schedule, dt.datetime(2026, month, day, hour, tzinfo=berlin), 3 * HOUR)
        return "" if found is None else f"{found.astimezone(berlin):%d %H:%M}"

    assert since(27, 12) == "26 20:00"  # not the evening that is still to come
    assert since(27, 18) == "27 12:00"
    assert since(27, 21) == "27 18:00"
    assert since(27, 15) == ""
    assert since(25, 12, month=10) == "24 20:00"  # in the night between, clocks go back
    (begins, ends), *_ = earlier(
        dt.datetime(2026, 10, 30, 18, tzinfo=berlin), dt.datetime(2026, 10, 30, 20, tzinfo=berlin), berlin
    )
    assert (begins.astimezone(berlin).hour, ends.astimezone(berlin).hour, begins.hour) == (18, 20, 16)


def test_an_endpoint_that_accepts_nothing_leads_to_the_calls_of_its_orders(place: Organization) -> None:
    rule = rule_of(place, AlertKind.DELIVERY)
    endpoint = make_endpoint(place)
    ordered, ended, booked = make_calls(place, 3, at=NOW - HOUR)
    order = Order.objects.create(organization=place, call=ordered, number=1, currency="EUR", subtotal=5, tax=0, total=5)
    for about, error in ((f"order:{order.pk}", "500"), (f"call:{ended.pk}", "500"), (f"call:{booked.pk}", "")):
        message = OutboxMessage.objects.create(
            organization=place, topic="webhook", endpoint=endpoint, about=about, body={},
            partition_key=f"{endpoint.pk}|{about}",
        )  # fmt: skip
        WebhookAttempt.objects.create(message=message, at=NOW - 5 * MINUTE, error=error, duration_ms=5)

    def found() -> set[tuple[str, Verdict]]:
        return {(each.subject, each.verdict) for each in FINDERS[AlertKind.DELIVERY](rule, NOW)}

    type(endpoint).objects.update(failing_since=NOW - 29 * MINUTE)
    assert found() == {(TEXTS, FINE)}
    type(endpoint).objects.update(failing_since=NOW - 31 * MINUTE)
    assert found() == {(TEXTS, FINE), (str(endpoint.pk), TRUE)}
    assert behind(raised(rule)) == {ordered.pk, ended.pk}
    type(endpoint).objects.update(paused_at=NOW, pause_reason="")
    assert found() == {(TEXTS, FINE)}  # somebody has paused it
    type(endpoint).objects.update(pause_reason="It responded 410 Gone.")
    assert (str(endpoint.pk), TRUE) in found()


def test_texts_that_reach_nobody_are_a_subject_of_their_own(place: Organization) -> None:
    rule = rule_of(place, AlertKind.DELIVERY)
    calls = make_calls(place, 4, at=NOW - MINUTE)
    reasons = ("filtered", "unregistered", "opted_out", "no_sender")
    for number, (call, reason) in enumerate(zip(calls, reasons, strict=True)):
        Text.objects.create(
            organization=place, call=call, key=str(number), number="+491511", body="Hi", reason=reason,
            state="not_sent" if number > 1 else "failed", due_at=NOW - MINUTE,
        )  # fmt: skip
    alert = raised(rule)
    assert (alert.subject, alert.facts["failed"]) == (TEXTS, 3)
    assert behind(alert) == {calls[0].pk, calls[1].pk, calls[3].pk}  # who opted out is no fault
    assert preview(rule, NOW) == 1


def test_a_number_is_judged_by_the_last_check_and_never_asks_twilio(place: Organization) -> None:
    rule = rule_of(place, AlertKind.NUMBER)
    number = PhoneNumber.objects.create(organization=place, number="+493023125001", carrier_state="differs")
    assert verdict(rule) is UNKNOWN
    PhoneNumber.objects.update(carrier_checked_at=NOW - MINUTE, carrier_difference="Calls: none, not https://…")
    assert verdict(rule) is TRUE
    last = make_calls(place, 1, at=NOW - 24 * HOUR, dialed_number=number.number)
    make_calls(place, 1, at=NOW - 24 * HOUR)
    alert = raised(rule)
    assert behind(alert) == keys(last)
    assert str(alert) == "Number does not point here: +49 30 23125001"
    PhoneNumber.objects.update(carrier_state="in_step")
    assert FINDERS[AlertKind.NUMBER](rule, NOW) == []


def test_costs_are_those_of_the_organizations_days(place: Organization) -> None:
    rule = rule_of(place, AlertKind.SPEND, threshold=Decimal("1.00"), window=2)
    yesterday = make_calls(place, 2, at=NOW - 24 * HOUR, cost_usd=Decimal("0.30"))
    make_calls(place, 2, at=NOW - 48 * HOUR, cost_usd=Decimal(9))
    for days in (1, 2):
        count_day(place, (NOW - days * 24 * HOUR).date())
    today = make_calls(place, 2, at=NOW - HOUR, cost_usd=Decimal("0.20"))
    make_calls(place, 1, at=NOW - HOUR)
    assert verdict(rule) is FINE
    today += make_calls(place, 1, at=NOW, cost_usd=Decimal("0.01"))
    alert = raised(rule)
    assert happened(alert) == "Calls have cost 1.01 USD in 2 days. The budget is 1.00 USD."
    assert behind(alert) == keys(yesterday + today)


def test_the_preview_replays_the_rule(place: Organization) -> None:
    rule = rule_of(place, AlertKind.FAILED_CALLS)
    for hours in (5, 50, 100, 24 * 8):
        make_calls(place, 3, at=NOW - hours * HOUR, state="failed")
        make_calls(place, 1, at=NOW - hours * HOUR + 2 * HOUR)
    assert preview(rule, NOW) == 3
    slow = make_calls(place, 1, at=NOW - 70 * HOUR)[0]
    Turn.objects.bulk_create(Turn(call=slow, number=number, response_ms=4000) for number in range(20))
    assert preview(rule_of(place, AlertKind.SLOW_RESPONSES), NOW) == 1
    make_calls(place, 1, at=NOW - 30 * HOUR, cost_usd=Decimal(60))
    count_day(place, (NOW - 30 * HOUR).date())
    assert preview(rule_of(place, AlertKind.SPEND), NOW) == 1
    assert preview(rule_of(place, AlertKind.NUMBER), NOW) is None


def test_the_page_of_rules_says_what_is_set_at_first() -> None:
    """Each rule has a row in both tables of the documentation, the first one with its defaults."""
    lines = (Path(__file__).resolve().parents[3] / "docs/reference/alerts.md").read_text().splitlines()
    for kind, spec in SPECS.items():
        rows = [line.split("|") for line in lines if line.startswith(f"| {kind.label} |")]
        assert len(rows) == 2, kind
        for setting in filter(None, (spec.threshold, spec.window)):
            assert re.search(rf"\b{setting.default.normalize():f}\b", rows[0][3]), (kind, setting)


def test_a_rule_takes_few_queries_however_many_calls(place: Organization, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    rule_of(place, AlertKind.SPEND)
    AlertRule.objects.update(is_on=True)
    make_calls(place, 50, at=timezone.now() - MINUTE, cost_usd=Decimal("0.01"))
    with django_assert_max_num_queries(18):
        evaluate(place.pk, timezone.now())

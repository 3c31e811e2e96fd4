"""The table of figures is what the calls say, whatever happened to them, and however often a day was counted."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from agents.organizations.models import Organization
from agents.tests.builders import make_agent, make_organization
from sessions.analytics import services
from sessions.analytics.changes import DayChange, note_day_change, recounts
from sessions.analytics.models import CountedDay, DayFigures
from sessions.analytics.response_times import bucket_of
from sessions.appointments.models import Appointment
from sessions.appointments.services.booking import Origin, cancel_appointment
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import CostReported, TurnAnswered, TurnInterrupted
from sessions.calls.models import Call, CallState
from sessions.calls.services import finish_call, record_facts
from sessions.messages.texts.models import Text
from sessions.messages.texts.services.statuses import note_status
from sessions.orders.models import Order, OrderState
from sessions.orders.services.states import move_order
from telephony.caller_requests.deleting import delete_caller, start_deletion
from telephony.caller_requests.models import CallerRequest

pytestmark = pytest.mark.django_db

ZONE = ZoneInfo("America/New_York")
NUMBERS = ("+12125550100", "+12125550101", "")
CALLERS = tuple(f"+1212555020{digit}" for digit in range(5))


@pytest.fixture
def organization() -> Organization:
    return make_organization(time_zone=ZONE.key, currency="USD")


class Life:
    """What happens to the calls of some days, by the services that let it happen; then the days are counted."""

    def __init__(self, organization: Organization, seed: int) -> None:
        self.organization = organization
        self.chance = Random(seed)
        self.agent = make_agent(organization)
        self.number = 0

    def go_on(self, steps: int) -> None:
        happenings = (
            self.call, self.call, self.call, self.order, self.appointment, self.text, self.late_cost,
            self.cancel_order, self.cancel_appointment, self.change_of_nothing,
        )  # fmt: skip
        for _ in range(steps):
            self.chance.choice(happenings)()

    def at(self) -> dt.datetime:
        return timezone.now() - dt.timedelta(days=3) - dt.timedelta(seconds=self.chance.randrange(4 * 86400))

    def any_of(self, rows: Any) -> Any:
        found = list(rows.order_by("pk"))
        return self.chance.choice(found) if found else None

    def call(self) -> None:
        call = Call.objects.create(
            organization=self.organization,
            agent=self.agent,
            agent_version=self.chance.choice((self.agent.published_version, None)),
            dialed_number=self.chance.choice(NUMBERS),
            caller_number=self.chance.choice(CALLERS),
        )
        at = self.at()
        Call.objects.filter(pk=call.pk).update(created_at=at)
        reason = self.chance.choice(list(EndReason))
        if self.chance.random() < 0.8:
            Call.objects.filter(pk=call.pk).update(state=CallState.CONNECTED, connected_at=at)
            turns = [
                TurnAnswered(each, 1000 * each, self.chance.randint(100, 9000), 1, 1, 1)
                for each in range(self.chance.randint(0, 3))
            ]
            record_facts(call.pk, [*turns, TurnInterrupted(number=1, at_ms=500, heard_ms=5)])
        finish_call(call.pk, reason=reason, at=at + dt.timedelta(seconds=self.chance.randint(1, 90)))

    def order(self) -> None:
        self.number += 1
        call = self.any_of(Call.objects.filter(organization=self.organization))
        order = Order.objects.create(
            organization=self.organization, call=self.chance.choice((call, call, None)), number=self.number,
            currency=self.chance.choice(("USD", "USD", "EUR")), subtotal=1, tax=0, customer_number=CALLERS[0],
            total=Decimal(self.chance.randint(1, 9999)) / 100,
        )  # fmt: skip
        self.began(order)

    def appointment(self) -> None:
        self.number += 1
        now = timezone.now()
        appointment = Appointment.objects.create(
            organization=self.organization, number=self.number, service_name="Tires", currency="USD", starts_at=now,
            ends_at=now + dt.timedelta(hours=1), call=self.any_of(Call.objects.filter(organization=self.organization)),
        )  # fmt: skip
        self.began(appointment)

    def began(self, row: Order | Appointment) -> None:
        """As the services of submitting and booking note it."""
        at = self.at()
        type(row)._default_manager.filter(pk=row.pk).update(created_at=at)
        note_day_change(self.organization.pk, at, call_id=row.call_id)

    def text(self) -> None:
        self.number += 1
        call = self.any_of(Call.objects.filter(organization=self.organization))
        text = Text.objects.create(
            organization=self.organization, key=str(self.number), number=CALLERS[0], body="Hello", call=call
        )
        note_status(f"SM{self.number:032}", "sent", text_id=text.pk)

    def late_cost(self) -> None:
        call = self.any_of(Call.objects.filter(organization=self.organization))
        if call is not None:
            record_facts(call.pk, [CostReported(source="vapi 1", usd=self.chance.randint(1, 99) / 100)])

    def cancel_order(self) -> None:
        order = self.any_of(Order.objects.filter(organization=self.organization, state=OrderState.SUBMITTED))
        if order is not None:
            move_order(order, to=OrderState.CANCELED, reason="Sold out")

    def cancel_appointment(self) -> None:
        booked = self.any_of(Appointment.objects.filter(organization=self.organization, state="booked"))
        if booked is not None:
            cancel_appointment(booked, Origin(person="Alice"))

    def change_of_nothing(self) -> None:
        note_day_change(self.organization.pk, self.at())


def in_the_table(organization: Organization) -> dict[Any, Any]:
    found: dict[Any, Any] = defaultdict(int)
    rows = DayFigures.objects.filter(organization=organization)
    names = ("day", "hour", "number", "agent_version_id")
    for (*where, results), figures in rows.summed(*names, "results").items():
        for name in (
            "calls", "answered", "converted", "transferred", "after_hours", "talked", "talk_s", "interruptions",
            "costed", "cost_usd", "orders", "bookings", "texts",
        ):  # fmt: skip
            found[name, *where, results] += getattr(figures, name)
        for currency, total in figures.revenue.items():
            found[currency, *where, results] += total
        for bucket, count in enumerate(figures.responses):
            found[bucket, *where, results] += count
    return {where: count for where, count in found.items() if count}


def from_the_rows(organization: Organization) -> dict[Any, Any]:
    """Computed by loops alone."""
    found: dict[Any, Any] = defaultdict(int)

    def where(at: dt.datetime | None, call: Call | None) -> tuple[Any, ...]:
        assert at is not None
        local = at.astimezone(ZONE)
        line = (call.dialed_number, call.agent_version_id, results(call)) if call else ("", None, "")
        return local.date(), local.hour, *line

    for call in Call.objects.filter(organization=organization):
        place, is_answered = where(call.created_at, call), call.state in ("connected", "completed")
        found["calls", *place] += 1
        found["answered", *place] += is_answered
        found["converted", *place] += is_answered and bool({"order", "appointment"} & set(results(call).split(",")))
        found["transferred", *place] += call.end_reason == "transferred"
        found["after_hours", *place] += call.end_reason == "closed_hours"
        found["interruptions", *place] += call.interruptions
        if call.duration_s is not None:
            found["talked", *place] += 1
            found["talk_s", *place] += call.duration_s
        if call.cost_usd is not None:
            found["costed", *place] += 1
            found["cost_usd", *place] += call.cost_usd
        for turn in call.turns.all():
            if turn.response_ms is not None:
                found[bucket_of(turn.response_ms), *place] += 1
    for order in Order.objects.filter(organization=organization).exclude(state__in=("replaced", "canceled")):
        place = where(order.created_at, order.call)
        found["orders", *place] += 1
        found[order.currency, *place] += order.total
    for booked in Appointment.objects.filter(organization=organization).exclude(state="canceled"):
        found["bookings", *where(booked.created_at, booked.call)] += 1
    for text in Text.objects.filter(organization=organization, sent_at__isnull=False):
        found["texts", *where(text.sent_at, text.call)] += 1
    return {where: count for where, count in found.items() if count}


def results(call: Call) -> str:
    made = [
        name
        for name, is_made in (
            ("order", call.orders.exclude(state__in=("replaced", "canceled")).exists()),
            ("appointment", call.appointments.exclude(state="canceled").exists()),
            ("transfer", call.end_reason == "transferred"),
        )
        if is_made
    ]
    state = {"connected": "answered", "completed": "answered", "missed": "missed", "failed": "failed"}
    return ",".join(made) or state[call.state]


def count_what_is_due() -> None:
    for _ in range(2):  # calls, then their days
        DayChange.objects.update(due_at=timezone.now())
        recounts.process_due()


@pytest.mark.parametrize("seed", range(2))
def test_the_table_says_what_the_rows_say(organization: Organization, seed: int) -> None:
    life = Life(organization, seed)
    life.go_on(50)
    count_what_is_due()
    # Each alone, so that nothing else has its days counted.
    for happening in (life.call, life.late_cost, life.text, life.cancel_order, life.cancel_appointment, life.order):
        happening()
        count_what_is_due()
        assert not DayChange.objects.exists()
        assert in_the_table(organization) == from_the_rows(organization), happening
    call_command("rebuild_analytics")
    assert in_the_table(organization) == from_the_rows(organization)


def test_a_deleted_caller_leaves_the_figures(
    organization: Organization, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    life = Life(organization, 7)
    life.go_on(40)
    count_what_is_due()
    request = CallerRequest.objects.create(organization=organization, number=CALLERS[0])
    start_deletion(request, by="alice")
    before = Call.objects.count()
    delete_caller(organization.outbox.get(topic="caller.delete"))
    assert Call.objects.count() < before
    count_what_is_due()
    assert in_the_table(organization) == from_the_rows(organization)


def test_a_worker_that_dies_while_it_counts_counts_nothing_twice(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    Life(organization, 1).go_on(15)
    recounts.process_due([DayChange.Topic.CALL])

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(services, "_rows", die)
        DayChange.objects.update(due_at=timezone.now())
        with pytest.raises(Killed):
            recounts.process_due([DayChange.Topic.DAY])
    DayChange.objects.update(lease_expires_at=None)
    count_what_is_due()
    assert in_the_table(organization) == from_the_rows(organization)


def test_a_change_while_a_day_is_counted_is_counted(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker writes the day between this one's reading and writing."""
    Life(organization, 2).go_on(10)
    first = Call.objects.order_by("created_at")[0]
    day = first.created_at.astimezone(ZONE).date()
    write, others = services._write, list[Call]()

    def late(*arguments: Any) -> bool:
        if not others:
            others.append(first)
            Call.objects.filter(pk=first.pk).update(interruptions=99)
            services.count_day(organization, day)
        return write(*arguments)

    monkeypatch.setattr(services, "_write", late)
    services.count_day(organization, day)
    expected = {where: count for where, count in from_the_rows(organization).items() if where[1] == day}
    assert in_the_table(organization) == expected


def test_each_hour_what_nobody_noted_is_found(organization: Organization) -> None:
    Life(organization, 3).go_on(12)
    DayChange.objects.all().delete()  # as if filled before an upgrade
    services.keep_counted()
    count_what_is_due()
    assert in_the_table(organization) == from_the_rows(organization)
    Organization.objects.filter(pk=organization.pk).update(time_zone="Asia/Tokyo")
    assert services.keep_counted()
    count_what_is_due()
    assert set(CountedDay.objects.values_list("time_zone", flat=True)) == {"Asia/Tokyo"}
    assert not services.keep_counted()
    CountedDay.objects.update(counted_at=timezone.now() - dt.timedelta(days=2))
    assert services.keep_counted()


def test_days_of_a_change_of_clocks(organization: Organization) -> None:
    """1 November 2026 has 25 hours in New York."""
    night = dt.datetime(2026, 11, 1, tzinfo=ZONE)
    for at in (night, night + dt.timedelta(hours=23, minutes=59)):
        call = Call.objects.create(organization=organization)
        Call.objects.filter(pk=call.pk).update(created_at=at)
    last = Call.objects.create(organization=organization)
    Call.objects.filter(pk=last.pk).update(created_at=dt.datetime(2026, 11, 2, 4, 59, tzinfo=dt.UTC))
    services.count_day(organization, dt.date(2026, 11, 1))
    assert DayFigures.objects.summed("day")[dt.date(2026, 11, 1),].calls == 3

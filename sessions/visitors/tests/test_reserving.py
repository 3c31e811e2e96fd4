"""The day's budget is never exceeded, however many begin at once; what a call really cost counts at its end."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TypeVar

import pytest
from django.db import connection
from django.utils import timezone

from agents.call_page.models import CallAccess, CallPage
from agents.configuration.models import AgentVersion
from agents.tests.builders import make_agent, make_organization
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallState
from sessions.tests.builders import make_call
from sessions.tools.briefing import brief, limited
from sessions.visitors.models import VisitorCall
from sessions.visitors.queries import SETTLED_AFTER, charged_usd
from sessions.visitors.services import (
    BudgetUsed,
    NoPlace,
    NotPriced,
    TokenUsed,
    belongs_to,
    next_midnight,
    release,
    reserve_call,
)

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")


def public_page(name: str = "Harbour", **values: object) -> tuple[CallPage, AgentVersion]:
    organization = make_organization(name)
    defaults: dict[str, object] = {"who_may_call": CallAccess.LINK, "calls_at_once": 100, "daily_budget_usd": 5}
    page = CallPage.objects.create(organization=organization, **(defaults | values))
    page.refresh_from_db()
    version = make_agent(organization).published_version
    assert version is not None
    return page, version


def race(racer: Callable[[int], T], times: int) -> list[T]:
    """What each returned, all started at the same time on connections of their own."""
    start = threading.Barrier(times)

    def run(number: int) -> T:
        try:
            start.wait(timeout=10)
            return racer(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times), timeout=60))


def today(page: CallPage) -> dt.date:
    return timezone.now().astimezone(page.organization.zone).date()


def end(call: Call, *, cost: str | None, connected: bool = True) -> None:
    """The call ended before its last usage could still be written."""
    ended_at = timezone.now() - SETTLED_AFTER - dt.timedelta(seconds=1)
    Call.objects.filter(pk=call.pk).update(
        state=CallState.COMPLETED,
        connected_at=ended_at if connected else None,
        ended_at=ended_at,
        cost_usd=cost and Decimal(cost),
    )


@pytest.mark.parametrize("repetition", range(3))
def test_however_many_begin_at_once_no_more_is_reserved_than_the_budget(repetition: int) -> None:
    page, persona = public_page()

    def begin(number: int) -> Decimal | None:
        try:
            return reserve_call(page, persona, token_id=f"visitor{number}").reserved_usd
        except BudgetUsed:
            return None

    reserved = [amount for amount in race(begin, 8) if amount is not None]
    assert len(reserved) == int(Decimal(5) / reserved[0]) < 8
    assert sum(reserved) == charged_usd(page.organization, today(page)) <= Decimal(5)


def test_only_as_many_as_may_call_at_once() -> None:
    page, persona = public_page(calls_at_once=2, daily_budget_usd=1000)

    def begin(number: int) -> bool:
        try:
            return bool(reserve_call(page, persona, token_id=f"visitor{number}"))
        except NoPlace:
            return False

    assert sum(race(begin, 6)) == 2


def test_a_token_used_many_times_at_once_begins_one_call() -> None:
    page, persona = public_page(daily_budget_usd=1000)

    def begin(_: int) -> bool:
        try:
            return bool(reserve_call(page, persona, token_id="the same"))
        except TokenUsed:
            return False

    assert sum(race(begin, 6)) == 1


def test_an_ended_call_counts_as_what_it_cost() -> None:
    page, persona = public_page()
    reservation = reserve_call(page, persona, token_id="a")
    call = make_call(page.organization.agents.get())
    belongs_to(reservation, call)
    assert charged_usd(page.organization, today(page)) == reservation.reserved_usd
    Call.objects.filter(pk=call.pk).update(state=CallState.COMPLETED, ended_at=timezone.now(), cost_usd=Decimal("0.25"))
    # Its last usage may still be written.
    assert charged_usd(page.organization, today(page)) == reservation.reserved_usd
    end(call, cost="0.25")
    assert charged_usd(page.organization, today(page)) == Decimal("0.25")
    end(call, cost="9.75")
    assert charged_usd(page.organization, today(page)) == Decimal("9.75")


def test_a_cost_that_is_not_known_counts_as_the_reservation() -> None:
    page, persona = public_page()
    reservation = reserve_call(page, persona, token_id="a")
    call = make_call(page.organization.agents.get())
    belongs_to(reservation, call)
    end(call, cost=None)
    assert charged_usd(page.organization, today(page)) == reservation.reserved_usd
    end(call, cost=None, connected=False)
    assert charged_usd(page.organization, today(page)) == 0
    end(call, cost="0.10")
    Call.objects.update(end_reason=EndReason.LOST_PROCESS)
    assert charged_usd(page.organization, today(page)) == reservation.reserved_usd


def test_what_became_no_call_is_given_back_and_its_token_may_try_again() -> None:
    page, persona = public_page()
    release(reserve_call(page, persona, token_id="a"))
    assert charged_usd(page.organization, today(page)) == 0
    reservation = reserve_call(page, persona, token_id="a")
    belongs_to(reservation, make_call(page.organization.agents.get()))
    release(reservation)
    assert VisitorCall.objects.count() == 1


def test_organizations_and_days_have_budgets_of_their_own() -> None:
    page, persona = public_page(daily_budget_usd=2)
    reservation = reserve_call(page, persona, token_id="a")
    with pytest.raises(BudgetUsed) as used:
        reserve_call(page, persona, token_id="b")
    assert used.value.until == next_midnight(timezone.now().astimezone(page.organization.zone))
    other, others_persona = public_page("Meadow", daily_budget_usd=2)
    reserve_call(other, others_persona, token_id="c")
    VisitorCall.objects.filter(pk=reservation.pk).update(day=today(page) - dt.timedelta(days=1))
    reserve_call(page, persona, token_id="b")


@pytest.mark.parametrize("changes", [{"model": "gpt-of-tomorrow"}, {"provider": "vapi"}])
def test_nothing_is_reserved_without_a_price(changes: dict[str, str]) -> None:
    page, persona = public_page()
    for name, value in changes.items():
        setattr(persona, name, value)
    with pytest.raises(NotPriced):
        reserve_call(page, persona, token_id="a")


def test_the_briefing_of_a_visitors_call_has_its_limits() -> None:
    page, persona = public_page(longest_call_minutes=4)
    reservation = reserve_call(page, persona, token_id="a")
    call, others = make_call(page.organization.agents.get()), make_call(page.organization.agents.get())
    belongs_to(reservation, call)
    limits = limited(brief(call), Call.objects.select_related("visitor_call").get(pk=call.pk)).limits
    assert limits.longest_call_ms == 4 * 60_000
    assert limits.spending is not None
    assert limits.spending.most_usd == float(reservation.reserved_usd)
    assert limited(brief(others), others) == brief(others)


def test_a_day_begins_at_the_organizations_midnight() -> None:
    page, _ = public_page()
    local = dt.datetime(2026, 3, 28, 22, 30, tzinfo=page.organization.zone)
    assert next_midnight(local) == dt.datetime(2026, 3, 29, tzinfo=page.organization.zone)

"""What visitors' calls have reserved is deleted when no budget, no token and no call needs it any more."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from agents.call_page.models import CallAccess, CallPage
from agents.tests.builders import make_agent, make_organization
from sessions import tasks
from sessions.calls.models import Call, CallState
from sessions.tests.builders import make_call
from sessions.visitors.models import VisitorCall
from sessions.visitors.queries import charged_usd, spending_of
from sessions.visitors.services import KEPT_FOR, belongs_to, reserve_call
from voiceapp.console.call_page.visitor_tokens import VALID_FOR
from voiceapp.core import batches

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> CallPage:
    organization = make_organization("Harbour")
    make_agent(organization)
    return CallPage.objects.create(
        organization=organization, who_may_call=CallAccess.LINK, daily_budget_usd=1000, calls_at_once=100
    )


def visitor(page: CallPage, name: str, *, age: dt.timedelta) -> Call:
    """Their call, of that age, which is over."""
    agent = page.organization.agents.get()
    assert agent.published_version is not None
    reservation = reserve_call(page, agent.published_version, token_id=name)
    call = make_call(agent)
    belongs_to(reservation, call)
    began_at = timezone.now() - age
    VisitorCall.objects.filter(pk=reservation.pk).update(created_at=began_at, day=began_at.date())
    Call.objects.filter(pk=call.pk).update(state=CallState.COMPLETED, ended_at=began_at)
    return call


def test_old_reservations_go_and_their_calls_stay(page: CallPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    old = [visitor(page, f"old{number}", age=KEPT_FOR + dt.timedelta(minutes=1)) for number in range(5)]
    young = visitor(page, "young", age=KEPT_FOR - dt.timedelta(minutes=1))
    today = visitor(page, "today", age=dt.timedelta())
    day = timezone.now().astimezone(page.organization.zone).date()
    charged = charged_usd(page.organization, day)
    assert tasks.purge_visitor_calls() == 5
    assert tasks.purge_visitor_calls() == 0
    assert set(VisitorCall.objects.values_list("call", flat=True)) == {young.pk, today.pk}
    assert charged_usd(page.organization, day) == charged
    assert Call.objects.filter(pk__in=[call.pk for call in old]).count() == 5


def test_a_call_that_goes_on_keeps_its_limits(page: CallPage) -> None:
    call = visitor(page, "endless", age=2 * KEPT_FOR)
    Call.objects.filter(pk=call.pk).update(state=CallState.CONNECTED)
    assert tasks.purge_visitor_calls() == 0
    assert spending_of(Call.objects.select_related("visitor_call").get(pk=call.pk)) is not None


def test_what_became_no_call_goes_too(page: CallPage) -> None:
    visitor(page, "lost", age=2 * KEPT_FOR)
    VisitorCall.objects.update(call=None)
    assert tasks.purge_visitor_calls() == 1


def test_it_is_kept_for_longer_than_a_token_can_begin_a_second_call() -> None:
    assert KEPT_FOR > VALID_FOR

"""Visitors' calls within the limits and the budget, and what the page says beyond them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pytest_django import Settings

from agents.call_page.models import CallAccess, CallPage
from agents.configuration.models import Agent
from agents.organizations.models import Organization
from sessions.tests.builders import make_call
from sessions.visitors.models import VisitorCall
from telephony.twilio.models import PhoneNumber
from voiceapp.core.api.errors import ApiError

from ..access import Caller, visitor_by
from ..admission import admit, why_closed
from ..visitor_tokens import VisitorToken
from .conftest import open_to

pytestmark = pytest.mark.django_db

ADDRESS, OTHER = "203.0.113.7", "203.0.113.8"


@pytest.fixture
def page(harbour: Organization) -> CallPage:
    page = open_to(harbour, CallAccess.LINK, daily_budget_usd=Decimal(1000), calls_at_once=100)
    PhoneNumber.objects.create(organization=harbour, number="+493023125001")
    return page


def visitor(organization: Organization) -> Caller:
    return visitor_by(VisitorToken.issue(organization.pk)[0], organization.slug)


def begin(page: CallPage, address: str = ADDRESS) -> None:
    with admit(visitor(page.organization), address=address) as admission:
        admission.took(make_call(page.organization.agents.get()))


def refused(page: CallPage, address: str = ADDRESS) -> ApiError:
    with pytest.raises(ApiError) as error:
        begin(page, address)
    return error.value


def test_an_address_begins_so_many_calls_and_another_its_own(page: CallPage, settings: Settings) -> None:
    settings.LIMIT_VISITOR_CALL_ADDRESS = "2/h"
    begin(page)
    begin(page)
    error = refused(page)
    assert (error.status_code, error.problem.code) == (429, "too_many_calls")
    assert "Try again in" in error.problem.message
    assert "or ring +49 30 23125001." in error.problem.message
    begin(page, OTHER)


def test_an_organization_takes_so_many_and_another_its_own(
    page: CallPage, meadow: Organization, settings: Settings
) -> None:
    settings.LIMIT_VISITOR_CALL = "1/h"
    begin(page)
    assert refused(page, OTHER).problem.code == "too_many_calls"
    begin(open_to(meadow, CallAccess.LINK))


def test_what_did_not_become_a_call_is_neither_counted_nor_reserved(page: CallPage, settings: Settings) -> None:
    settings.LIMIT_VISITOR_CALL_ADDRESS = settings.LIMIT_VISITOR_CALL = "1/h"
    for _ in range(3):
        with pytest.raises(RuntimeError), admit(visitor(page.organization), address=ADDRESS):
            raise RuntimeError("LiveKit is away")
    assert not VisitorCall.objects.exists()
    begin(page)


def test_all_lines_are_busy(page: CallPage) -> None:
    CallPage.objects.update(calls_at_once=1)
    begin(page)
    error = refused(page)
    assert (error.status_code, error.problem.code, error.wait) == (429, "lines_busy", 60)


def test_over_the_budget_the_page_says_when_to_come_back_or_which_number_to_ring(page: CallPage) -> None:
    assert why_closed(page) == ""
    CallPage.objects.update(daily_budget_usd=Decimal(2))
    page.refresh_from_db()
    begin(page)
    error = refused(page)
    assert (error.status_code, error.problem.code) == (429, "budget_used")
    assert 0 < error.wait <= 25 * 3600
    for text in (error.problem.message, why_closed(page)):
        assert "takes no more calls today. Come back after midnight (" in text
        assert text.endswith("00:00, Europe/Berlin), or ring +49 30 23125001.")


@pytest.mark.parametrize(
    "changes",
    [{"is_paused": True}, {"published_version": None}, {"is_default": False}],
    ids=lambda each: next(iter(each)),
)
def test_without_an_agent_that_answers_nobody_can_call(page: CallPage, changes: dict[str, object]) -> None:
    Agent.objects.update(**changes)
    error = refused(page)
    assert (error.status_code, error.problem.code) == (503, "not_open")
    assert why_closed(page) == error.problem.message


def test_staff_are_not_counted(page: CallPage, settings: Settings) -> None:
    settings.LIMIT_VISITOR_CALL_ADDRESS = "1/h"
    staff = Caller(page.organization, visitor(page.organization).principal)
    for _ in range(3):
        with admit(staff, address=ADDRESS) as admission:
            admission.took(make_call(page.organization.agents.get()))
    assert not VisitorCall.objects.exists()

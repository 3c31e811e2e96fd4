"""The list of transfer targets says who is there now, by the hours and special days that hold for a transfer."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.hours.models import OpeningHours, SpecialDay, TransferHours
from agents.transfers.models import TransferTarget

from .world import World

pytestmark = pytest.mark.django_db
LIST = "/admin/agents/transfertarget/"


def open_always(target: TransferTarget) -> None:
    target.hours.all().delete()
    for weekday in range(7):
        TransferHours.objects.create(target=target, weekday=weekday, opens_at=dt.time(0), closes_at=dt.time(0))


def test_a_target_is_away_on_a_holiday_unless_it_takes_calls_then(client_of_alice: Client, harbour: World) -> None:
    target = harbour[TransferTarget]
    OpeningHours.objects.all().delete()
    SpecialDay.objects.all().delete()
    open_always(target)
    assert ">There<" in "".join(client_of_alice.get(LIST).content.decode().split())
    today = timezone.now().astimezone(harbour.organization.zone).date()
    for days in (-1, 0):
        SpecialDay.objects.create(organization=harbour.organization, date=today + dt.timedelta(days=days))
    assert "Again tomorrow at midnight" in client_of_alice.get(LIST).content.decode()
    TransferTarget.objects.update(takes_calls_on_special_days=True)
    assert ">There<" in "".join(client_of_alice.get(LIST).content.decode().split())


def test_the_list_reads_the_hours_of_all_targets_together(client_of_alice: Client, harbour: World) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client_of_alice.get(LIST)
        return len(captured)

    queries()
    few = queries()
    for number in range(5):
        target = TransferTarget.objects.create(
            organization=harbour.organization, slug=f"desk-{number}", name="Desk", number="+4930123456"
        )
        open_always(target)
    assert queries() == few

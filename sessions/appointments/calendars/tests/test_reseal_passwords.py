"""After `reseal_keys` the earlier SECRET_KEY opens no calendar's password any more."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from sessions.appointments.calendars.models import ConnectedCalendar

from .conftest import Garage


@pytest.fixture
def calendar(garage: Garage, settings: Settings) -> ConnectedCalendar:
    calendar = ConnectedCalendar(resource=garage.mia, address="https://cloud.example/dav", username="mia")
    calendar.password = "torque wrench"
    calendar.save()
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 50
    return calendar


def test_a_password_is_sealed_by_the_new_secret_key(calendar: ConnectedCalendar, settings: Settings) -> None:
    call_command("reseal_keys")
    settings.SECRET_KEY_FALLBACKS = []
    calendar.refresh_from_db()
    assert calendar.password == "torque wrench"


def test_a_password_that_no_key_opens_is_named_and_left(calendar: ConnectedCalendar, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = []
    before = calendar.sealed_password
    with pytest.raises(CommandError, match="Mia's calendar of Alice Garage"):
        call_command("reseal_keys")
    calendar.refresh_from_db()
    assert calendar.sealed_password == before

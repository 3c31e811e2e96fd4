"""The admin, the dashboard, the doctor and the beat say which numbers do not point here."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from agents.organizations.models import Membership
from telephony.tasks import check_phone_numbers
from telephony.twilio.models import CarrierState, NumberCheck, PhoneNumber
from telephony.twilio.tests.conftest import NUMBER, PUBLIC
from voiceapp.management.doctor.providers import check_webhooks
from voiceapp.providers.twilio.numbers import TwilioNumbers

from .conftest import Account
from .test_sync import ELSEWHERE, OTHER, run, state_of

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/telephony/phonenumber/"


def client_of(line: PhoneNumber, role: str = "owner") -> Client:
    user = User.objects.create_user(f"alice-{role}", is_staff=True)
    Membership.objects.create(organization=line.organization, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def press(client: Client, number: PhoneNumber, button: str) -> str:
    path = reverse("admin:telephony_phonenumber_press", args=(number.pk, button))
    return client.post(path, follow=True).content.decode()


def test_the_list_has_a_light_and_a_button_to_check_now(account: Account, line: PhoneNumber) -> None:
    account.buy(NUMBER, **ELSEWHERE)
    account.buy(OTHER)
    client = client_of(line)
    shown = client.get(LIST).content.decode()
    assert "have not been compared" in shown
    assert "Not checked" in shown
    shown = client.post(f"{LIST}check/", follow=True).content.decode()
    assert "0 of 1 numbers point here" in shown
    assert "Points elsewhere" in shown
    assert "+49 30 99999999" not in shown, "other numbers of the account are the superuser's to see"


def test_a_superuser_sees_which_numbers_are_not_set_up_here(account: Account, line: PhoneNumber, root: Client) -> None:
    account.buy(OTHER)
    assert "+49 30 99999999" in root.post(f"{LIST}check/", follow=True).content.decode()


def test_staff_see_the_light_and_cannot_check(account: Account, line: PhoneNumber) -> None:
    staff = client_of(line, "staff")
    assert "Check now" not in staff.get(LIST).content.decode()
    assert staff.post(f"{LIST}check/").status_code == 403
    assert staff.get(f"{LIST}check/").status_code == 405
    assert not NumberCheck.objects.exists()


def test_the_page_says_what_differs_and_a_superuser_points_the_number_here(
    account: Account, line: PhoneNumber, root: Client
) -> None:
    sid = account.buy(NUMBER, **ELSEWHERE)
    assert "Points elsewhere" in press(root, line, "check")
    page = root.get(reverse("admin:telephony_phonenumber_change", args=(line.pk,))).content.decode()
    assert "voice URL: https://old.example.com/voice" in page
    assert "Point here" in page
    owner = client_of(line)
    assert (
        "Point here" not in owner.get(reverse("admin:telephony_phonenumber_change", args=(line.pk,))).content.decode()
    )
    press(owner, line, "point-here")
    assert account.number(sid)["voice_url"] == ELSEWHERE["VoiceUrl"]
    assert "points here." in press(root, line, "point-here")
    assert account.number(sid)["voice_url"].startswith(PUBLIC)
    assert state_of(line) == CarrierState.IN_STEP


def test_a_twilio_that_does_not_respond_is_said(account: Account, line: PhoneNumber, settings: Settings) -> None:
    settings.TWILIO_BASE_URL = "http://127.0.0.1:9"
    client = client_of(line)
    assert "could not be read" in client.post(f"{LIST}check/", follow=True).content.decode()
    assert "could not be read" in press(client, line, "check")


@pytest.fixture
def in_transaction(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each request to Twilio, whether the page was in a transaction: on SQLite no other could write then."""
    seen: list[bool] = []

    def watch(name: str) -> None:
        original = getattr(TwilioNumbers, name)

        def request(client: TwilioNumbers, *args: Any) -> Any:
            seen.append(connection.in_atomic_block)
            return original(client, *args)

        monkeypatch.setattr(TwilioNumbers, name, request)

    watch("all")
    watch("update")
    return seen


def test_buttons_call_twilio_outside_of_transactions(
    account: Account, line: PhoneNumber, root: Client, in_transaction: list[bool]
) -> None:
    account.buy(NUMBER, **ELSEWHERE)
    press(root, line, "check")
    assert "points here." in press(root, line, "point-here")
    assert in_transaction == [False] * 3


def test_a_button_of_the_form_calls_twilio_after_the_form_is_committed(
    account: Account, line: PhoneNumber, root: Client, in_transaction: list[bool]
) -> None:
    account.buy(NUMBER, **ELSEWHERE)
    page = reverse("admin:telephony_phonenumber_change", args=(line.pk,))
    form = {"organization": str(line.organization_id), "number": NUMBER, "is_active": "on"}
    shown = root.post(page, form | {"label": "Desk", "_press": "check"}, follow=True).content.decode()
    assert "Points elsewhere" in shown
    assert PhoneNumber.objects.get().label == "Desk"
    assert in_transaction == [False]
    shown = root.post(page, form | {"number": "none", "_press": "check"}, follow=True).content.decode()
    assert "was not carried out" in shown
    assert in_transaction == [False], "a form with an error is not saved, and nothing is run"


def attention(client: Client) -> str:
    shown = client.get("/admin/").content.decode()
    part = shown[shown.index('id="attention"') :]
    return part[: part.index("</section>")]


def test_the_dashboard_names_numbers_that_do_not_point_here(account: Account, line: PhoneNumber) -> None:
    client = client_of(line)
    assert "Twilio" not in attention(client)
    check_phone_numbers()
    assert "1 phone number not at Twilio" in attention(client)
    account.buy(NUMBER, **ELSEWHERE)
    check_phone_numbers()
    assert "1 phone number at Twilio not pointing here" in attention(client)
    run()
    assert "Twilio" not in attention(client)


def test_the_beat_checks_and_survives_a_twilio_that_is_away(
    account: Account, line: PhoneNumber, settings: Settings
) -> None:
    account.buy(NUMBER)
    assert check_phone_numbers() == 1
    settings.TWILIO_BASE_URL = "http://127.0.0.1:9"
    assert check_phone_numbers() == 0
    settings.TWILIO_AUTH_TOKEN = ""
    assert check_phone_numbers() == 0


def test_the_doctor_says_the_same(account: Account, line: PhoneNumber, settings: Settings) -> None:
    account.buy(OTHER)
    account.buy(NUMBER, **ELSEWHERE)
    finding = check_webhooks()
    assert finding.is_well is False
    assert NUMBER in finding.detail
    assert OTHER in finding.detail
    assert finding.fix == "Run manage.py sync_phone_numbers."
    run()
    assert check_webhooks().is_well
    settings.TWILIO_BASE_URL = "http://127.0.0.1:9"
    assert check_webhooks().is_well is None


def test_a_number_that_was_changed_here_is_unchecked_until_the_next_check(account: Account, line: PhoneNumber) -> None:
    account.buy(NUMBER)
    run()
    form = {"organization": str(line.organization_id), "number": NUMBER, "label": "Desk", "is_active": "on"}
    page, client = reverse("admin:telephony_phonenumber_change", args=(line.pk,)), client_of(line)
    client.post(page, form)
    assert state_of(line) == CarrierState.IN_STEP
    client.post(page, form | {"number": OTHER})
    assert PhoneNumber.objects.get().number == OTHER
    assert state_of(line) == CarrierState.UNCHECKED
    check_phone_numbers()
    assert state_of(line) == CarrierState.MISSING


def test_the_demos_numbers_are_bought_from_a_simulated_twilio_and_point_here(
    account: Account, settings: Settings
) -> None:
    settings.SIMULATORS = ["twilio"]
    for _ in range(2):
        call_command("seed_demo", "--json", stdout=StringIO(), stderr=StringIO())
        (number,) = PhoneNumber.objects.all()
        assert state_of(number) == CarrierState.IN_STEP
    settings.SIMULATORS = []
    PhoneNumber.objects.update(number=OTHER)
    call_command("seed_demo", "--json", stdout=StringIO(), stderr=StringIO())
    assert NumberCheck.objects.get().unknown_numbers == []

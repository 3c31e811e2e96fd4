"""`sync_phone_numbers` points our numbers at us, touches no other, and says what does not fit."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from telephony.twilio.models import CarrierState, NumberCheck, PhoneNumber
from telephony.twilio.numbers.services import check_numbers
from telephony.twilio.tests.conftest import NUMBER, PUBLIC
from voiceapp.providers.twilio import numbers

from .conftest import Account

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = "+493099999999"
ELSEWHERE = {"VoiceUrl": "https://old.example.com/voice?key=secret", "VoiceMethod": "GET"}


def run(*options: str) -> tuple[str, str]:
    """What is printed, and the error."""
    out = StringIO()
    try:
        call_command("sync_phone_numbers", *options, stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def state_of(number: PhoneNumber) -> CarrierState:
    return CarrierState(PhoneNumber.objects.get(pk=number.pk).carrier_state)


def test_a_number_is_pointed_here(account: Account, line: PhoneNumber) -> None:
    sid = account.buy(
        NUMBER, SmsUrl="https://old.example.com/sms", SmsFallbackUrl="https://x.example.com/", **ELSEWHERE
    )
    account.set(sid, VoiceFallbackUrl="https://fallback.example.com/", FriendlyName="Main")
    printed, error = run()
    assert error == ""
    assert "now points here" in printed
    expected = {
        "voice_url": f"{PUBLIC}/twiml/start?orgId={line.organization_id}",
        "voice_method": "POST",
        "status_callback": f"{PUBLIC}/twilio/call-status",
        "status_callback_method": "POST",
        "sms_url": f"{PUBLIC}/twilio/message",
        "sms_method": "POST",
        "sms_fallback_url": "",
        "voice_fallback_url": "https://fallback.example.com/",
        "friendly_name": "Main",
    }
    assert account.number(sid).items() >= expected.items()
    assert state_of(line) == CarrierState.IN_STEP
    assert run() == ("+49 30 12345678          Points here\n", "")


def test_the_repetitions_that_an_operator_chose_at_twilio_are_no_difference_and_stay(
    account: Account, line: PhoneNumber
) -> None:
    sid = account.buy(NUMBER)
    run()
    address = f"{PUBLIC}/twilio/message#rc=3&rp=5xx,ct,rt"
    account.set(sid, SmsUrl=address)
    assert run() == ("+49 30 12345678          Points here\n", "")
    assert account.number(sid)["sms_url"] == address
    account.set(sid, SmsUrl="https://old.example.com/sms#rc=3", VoiceFallbackUrl="")
    assert "SMS URL" in run("--dry-run")[0]


def test_a_dry_run_says_what_would_change_and_changes_nothing(account: Account, line: PhoneNumber) -> None:
    sid = account.buy(NUMBER, **ELSEWHERE)
    before = account.number(sid)
    printed, error = run("--dry-run")
    assert account.number(sid) == before
    assert "voice URL: https://old.example.com/voice, not https://voice.example.com/twiml/start" in printed
    assert "secret" not in printed
    assert error == "1 of 1 numbers would be pointed at https://voice.example.com."
    assert state_of(line) == CarrierState.DIFFERS
    run()
    assert run("--dry-run")[1] == ""


@pytest.mark.parametrize(
    ("name", "sid"),
    [("TrunkSid", "TK" + "1" * 32), ("VoiceApplicationSid", "AP" + "1" * 32), ("SmsApplicationSid", "AP" + "2" * 32)],
)
def test_a_trunk_or_an_application_that_hides_the_urls_is_removed(
    account: Account, line: PhoneNumber, name: str, sid: str
) -> None:
    number = account.buy(NUMBER)
    run()
    account.set(number, **{name: sid})
    assert sid in run("--dry-run")[0]
    assert run()[1] == ""
    shown = account.number(number)
    assert (shown["trunk_sid"], shown["voice_application_sid"], shown["sms_application_sid"]) == (None, None, None)


def test_numbers_that_are_not_set_up_here_are_named_and_never_touched(account: Account, line: PhoneNumber) -> None:
    account.buy(NUMBER)
    other = account.buy(OTHER, **ELSEWHERE)
    before = account.number(other)
    printed, _ = run()
    assert "+49 30 99999999          Not set up here: left as it is" in printed
    assert account.number(other) == before
    check = NumberCheck.objects.get()
    assert (check.unknown_numbers, check.error) == ([OTHER], "")


def test_a_number_that_twilio_does_not_have_is_named(
    account: Account, line: PhoneNumber, strangers_line: PhoneNumber
) -> None:
    account.buy(NUMBER)
    printed, error = run()
    assert "+49 30 87654321          Not at Twilio" in printed
    assert error == "Not every number points here."
    assert (state_of(line), state_of(strangers_line)) == (CarrierState.IN_STEP, CarrierState.MISSING)


def test_an_inactive_number_points_here_too(account: Account, line: PhoneNumber) -> None:
    sid = account.buy(NUMBER)
    PhoneNumber.objects.update(is_active=False)
    run()
    assert account.number(sid)["voice_url"].startswith(PUBLIC)


def test_another_organizations_address_is_a_difference(
    account: Account, line: PhoneNumber, strangers_line: PhoneNumber
) -> None:
    wrong = f"{PUBLIC}/twiml/start?orgId={strangers_line.organization_id}"
    account.buy(NUMBER, VoiceUrl=wrong)
    printed, _ = run("--dry-run")
    assert f"voice URL: {wrong}, not {PUBLIC}/twiml/start?orgId={line.organization_id}" in printed


def test_more_numbers_than_one_page_are_read(
    account: Account, line: PhoneNumber, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "PAGE_SIZE", 20)
    settings.TWILIO_BASE_URL = account.twilio.fault_url("rest_slow=1")  # the next page has the same address
    for index in range(60):
        account.buy(f"+4930555{index:05}")
    account.buy(NUMBER)
    run()
    assert len(NumberCheck.objects.get().unknown_numbers) == 60
    assert state_of(line) == CarrierState.IN_STEP


@pytest.mark.parametrize("how", ["rest_500", "wrong token", "away"])
def test_while_twilio_does_not_respond_nothing_is_changed_and_the_reason_is_kept(
    account: Account, line: PhoneNumber, settings: Settings, how: str
) -> None:
    account.buy(NUMBER)
    run()
    if how == "wrong token":
        settings.TWILIO_AUTH_TOKEN = "wrong"
    else:
        settings.TWILIO_BASE_URL = account.twilio.fault_url("rest_500") if how == "rest_500" else "http://127.0.0.1:9"
    printed, error = run()
    assert printed == ""
    assert error.startswith("Twilio's numbers could not be read (twilio: ")
    assert NumberCheck.objects.get().error.startswith("twilio: ")
    assert state_of(line) == CarrierState.IN_STEP, "as of the last check that succeeded"


def test_a_number_that_twilio_refuses_keeps_no_other_waiting(
    account: Account, line: PhoneNumber, strangers_line: PhoneNumber, settings: Settings
) -> None:
    settings.PUBLIC_BASE_URL = "http:///nowhere"
    account.buy(NUMBER)
    account.buy(strangers_line.number)
    printed, error = run()
    assert printed.count("not changed: twilio: 400 21402") == 2
    assert error == "Not every number points here."
    assert state_of(line) == CarrierState.DIFFERS


def test_a_check_takes_the_same_queries_for_one_number_as_for_fifty(account: Account, line: PhoneNumber) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            check_numbers()
        return len(captured)

    check_numbers()
    one = queries()
    for index in range(50):
        PhoneNumber.objects.create(organization=line.organization, number=f"+4930555{index:05}")
    assert queries() == one


def test_a_check_that_began_before_a_newer_one_does_not_undo_what_that_found(
    account: Account, line: PhoneNumber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a periodic check that reads Twilio's list just before a number is bought."""
    read = numbers.TwilioNumbers.all

    def read_before_it_was_bought(client: numbers.TwilioNumbers) -> list[numbers.CarrierNumber]:
        theirs = read(client)
        monkeypatch.setattr(numbers.TwilioNumbers, "all", read)
        account.buy(NUMBER)
        run()
        return theirs

    monkeypatch.setattr(numbers.TwilioNumbers, "all", read_before_it_was_bought)
    check_numbers()
    assert state_of(line) == CarrierState.IN_STEP

"""Whom a transfer calls: departments, hours, order, numbers that are never called; and cold transfers of several."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import phonenumbers
import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from pytest_django import Settings

from agents.hours.models import TransferHours
from agents.transfers.models import CallerId, IfNobody, TransferMode, TransferTarget
from agents.transfers.numbers import NotCalled, why_not_called
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallKind, CallState
from sessions.calls.persons_called import are_too_many
from sessions.calls.services import record_event
from sessions.orders.services.transfer_targets import find_person, people_of
from telephony.twilio.models import FollowUp, MediaStream, PhoneNumber
from telephony.twilio.services.follow_ups import set_follow_up
from telephony.twilio.transfers.advance import advance_all
from telephony.twilio.transfers.models import Transfer, TransferAttempt, TransferState
from telephony.twilio.transfers.planning import find_department
from telephony.twilio.transfers.summary import summary_of

from .conftest import CALLER, NUMBER, Twilio, verbs, xml

pytestmark = pytest.mark.django_db

ANNA, BEN, CARL = "+493055555551", "+493055555552", "+493055555553"
FIRST, SECOND = ("CA" + digit * 32 for digit in "56")


def make_target(line: PhoneNumber, slug: str, number: str, **details: object) -> TransferTarget:
    given = {"department": "Work shop"} | details
    return TransferTarget.objects.create(
        organization=line.organization, slug=slug, name=slug.title(), number=number, **given
    )


@pytest.fixture
def three(line: PhoneNumber) -> list[TransferTarget]:
    return [
        make_target(line, "anna", ANNA, position=2),
        make_target(line, "ben", BEN, position=1),
        make_target(line, "carl", CARL, department=""),
    ]


def called(call: Call, slug: str) -> list[str]:
    department = find_department(call, slug, timezone.now())
    assert department is not None
    return [target.slug for target in department.people]


def test_a_person_is_called_before_the_others_of_the_department(call: Call, three: list[TransferTarget]) -> None:
    assert called(call, "anna") == ["anna", "ben"]
    assert called(call, "work-shop") == ["ben", "anna"]
    assert called(call, "carl") == ["carl"]
    assert find_department(call, "nobody", timezone.now()) is None
    assert find_department(call, "", timezone.now()) is None


def test_each_person_has_hours_of_their_own(call: Call, three: list[TransferTarget]) -> None:
    other_day = (timezone.now().weekday() + 3) % 7
    TransferHours.objects.create(target=three[0], weekday=other_day, opens_at=dt.time(9), closes_at=dt.time(10))
    assert called(call, "anna") == ["ben"]
    now = timezone.now()
    assert find_person(call, "work-shop", now=now).is_there
    TransferHours.objects.create(target=three[1], weekday=other_day, opens_at=dt.time(9), closes_at=dt.time(10))
    department = next(person for person in people_of(three[0].organization, now=now) if person.slug == "work-shop")
    assert (department.is_there, department.absence) == (False, "Nobody of Work shop is there now.")


def test_one_person_is_no_department(line: PhoneNumber) -> None:
    make_target(line, "anna", ANNA)
    assert [person.slug for person in people_of(line.organization, now=timezone.now())] == ["anna"]


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (ANNA, None),
        ("+33142685300", NotCalled.FOREIGN),
        ("+18765550123", NotCalled.FOREIGN),
        (NUMBER, NotCalled.OUR_OWN),
        ("+493087654321", NotCalled.OUR_OWN),
        (CALLER, NotCalled.THE_CALLERS),
        ("+499001123456", NotCalled.NOT_DIALABLE),
        ("+881612345678", NotCalled.NOT_DIALABLE),
        ("sip:anna@example.com", NotCalled.NOT_DIALABLE),
        ("911", NotCalled.NOT_DIALABLE),
    ],
)
def test_numbers_that_are_not_called(
    number: str, why: NotCalled | None, line: PhoneNumber, strangers_line: PhoneNumber
) -> None:
    assert why_not_called(number, line.organization, caller=CALLER) == why


def test_other_countries_are_called_where_the_installation_allows_them(line: PhoneNumber, settings: Settings) -> None:
    settings.TRANSFER_COUNTRIES = ["FR"]
    assert why_not_called("+33142685300", line.organization) is None
    assert why_not_called("+41446681800", line.organization) is NotCalled.FOREIGN


@pytest.mark.parametrize("number", [NUMBER, "+33142685300"])
def test_such_numbers_are_refused_when_they_are_saved(number: str, line: PhoneNumber) -> None:
    with pytest.raises(ValidationError) as refused:
        TransferTarget(organization=line.organization, slug="x", name="X", number=number).full_clean()
    assert "number" in refused.value.message_dict


def hostile_numbers() -> Iterator[str]:
    """Premium, shared-cost, personal, pager and voicemail numbers of every country, and ordinary ones from abroad."""
    special = (
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.VOICEMAIL,
        PhoneNumberType.PAGER,
    )
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        kinds = special if region == "DE" else (*special, PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
        for kind in kinds:
            if example := phonenumbers.example_number_for_type(region, kind):
                yield phonenumbers.format_number(example, PhoneNumberFormat.E164)
    yield from ("+870773111632", "+8816123456789", "+97912345678", "+88213300655", "112", "+112", "0900123456", "")


def test_no_hostile_number_is_called(line: PhoneNumber) -> None:
    line.organization.country = "DE"
    numbers = list(hostile_numbers())
    assert len(numbers) > 300
    called_anyway = [number for number in numbers if why_not_called(number, line.organization) is None]
    assert called_anyway == []


# Cold transfers


def hand_over(twilio: Twilio, stream: MediaStream, wanted: str = "anna") -> str:
    """The number that is dialed first."""
    Call.objects.update(state=CallState.CONNECTED, connected_at=timezone.now())
    set_follow_up(stream.id, FollowUp.HAND_OVER, wanted)
    return str(xml(twilio.post("/twiml/after", CallStatus="in-progress"))[0][0].text)


def dial_over(
    twilio: Twilio, sid: str, status: str, attempt: TransferAttempt | None = None, **fields: str
) -> list[str]:
    path = "/twiml/after-dial" + (f"?attempt={attempt.pk}" if attempt else "")
    response = twilio.post(path, DialCallSid=sid, DialCallStatus=status, CallStatus="in-progress", **fields)
    root = xml(response)
    dials = [f"{verb.attrib['callerId']} {verb[0].text}" for verb in root.findall("Dial")]
    return dials or [verb.tag for verb in root]


def attempt_of(slug: str) -> TransferAttempt | None:
    return TransferAttempt.objects.filter(slug=slug).order_by("position").last()


def test_a_cold_transfer_dials_one_after_the_other_and_then_takes_a_message(
    twilio: Twilio, stream: MediaStream, three: list[TransferTarget]
) -> None:
    assert hand_over(twilio, stream) == ANNA
    for _ in range(2):
        assert dial_over(twilio, FIRST, "busy") == [f"{NUMBER} {BEN}"]
    for _ in range(2):
        assert "Record" in dial_over(twilio, SECOND, "no-answer", attempt_of("ben"))
    assert list(TransferAttempt.objects.values_list("slug", "state")) == [("anna", "busy"), ("ben", "no_answer")]
    assert Transfer.objects.get().state == TransferState.NOBODY


def test_a_cold_transfer_may_return_the_caller_to_the_agent(
    twilio: Twilio, stream: MediaStream, three: list[TransferTarget]
) -> None:
    TransferTarget.objects.update(if_nobody=IfNobody.AGENT)
    hand_over(twilio, stream, "carl")
    for _ in range(2):
        assert dial_over(twilio, FIRST, "no-answer") == ["Connect"]
    assert Call.objects.get().state == CallState.CONNECTED
    assert MediaStream.objects.filter(is_return=True).count() == 1


def test_a_talk_after_a_cold_transfer_is_measured(
    twilio: Twilio, stream: MediaStream, three: list[TransferTarget]
) -> None:
    hand_over(twilio, stream)
    for _ in range(2):
        assert dial_over(twilio, FIRST, "completed", DialBridged="true", DialCallDuration="42") == ["Hangup"]
    transfer = Transfer.objects.get()
    assert (transfer.state, transfer.talk_s) == (TransferState.TALKED, 42)
    assert Call.objects.get().end_reason == EndReason.TRANSFERRED


def test_a_refused_caller_id_is_replaced_once(twilio: Twilio, stream: MediaStream, three: list[TransferTarget]) -> None:
    TransferTarget.objects.update(caller_id=CallerId.CALLER)
    Call.objects.update(state=CallState.CONNECTED, connected_at=timezone.now())
    set_follow_up(stream.id, FollowUp.HAND_OVER, "carl")
    dial = xml(twilio.post("/twiml/after", CallStatus="in-progress"))[0]
    assert dial.attrib["callerId"] == CALLER
    for _ in range(2):
        assert dial_over(twilio, "", "failed", DialBridged="") == [f"{NUMBER} {CARL}"]
    assert "Record" in dial_over(twilio, "", "failed", attempt_of("carl"), DialBridged="")


def test_a_busy_person_is_not_called_again_with_another_caller_id(
    twilio: Twilio, stream: MediaStream, three: list[TransferTarget]
) -> None:
    TransferTarget.objects.update(caller_id=CallerId.CALLER)
    hand_over(twilio, stream)
    assert dial_over(twilio, FIRST, "busy") == [f"{CALLER} {BEN}"]


@pytest.mark.parametrize("mode", TransferMode)
def test_nobody_is_there_and_the_agent_takes_the_caller_back(
    mode: TransferMode, twilio: Twilio, stream: MediaStream, three: list[TransferTarget]
) -> None:
    TransferTarget.objects.update(mode=mode, if_nobody=IfNobody.AGENT)
    other_day = (timezone.now().weekday() + 3) % 7
    for target in three:
        TransferHours.objects.create(target=target, weekday=other_day, opens_at=dt.time(9), closes_at=dt.time(10))
    Call.objects.update(state=CallState.CONNECTED, connected_at=timezone.now())
    set_follow_up(stream.id, FollowUp.HAND_OVER, "anna")
    for _ in range(2):
        assert verbs(twilio.post("/twiml/after", CallStatus="in-progress")) == ["Connect"]
    assert Transfer.objects.get().state == TransferState.NOBODY


def test_what_a_person_hears_is_in_the_agents_language_and_has_no_markup(call: Call) -> None:
    call.tool_calls.create(
        tool_call_id="1", name="transfer_call", arguments={"target": "anna", "reason": "The <Dial> squeals!"},
        outcome="done", at=timezone.now(),
    )  # fmt: skip
    english, german = summary_of(call, language="en"), summary_of(call, language="de-AT")
    assert "It is about: The <Dial> squeals." in english
    assert "Es geht um: The <Dial> squeals." in german
    assert "4 9 1 7 6 1 2 3 4 5 6 7 8" in english
    Call.objects.update(caller_number="anonymous")
    assert "number" not in summary_of(Call.objects.get(), language="en")


def test_a_caller_who_hangs_up_while_a_cold_transfer_rings_has_left(
    twilio: Twilio, stream: MediaStream, three: list[TransferTarget]
) -> None:
    hand_over(twilio, stream)
    for _ in range(2):
        path = "/twiml/after-dial"
        response = twilio.post(path, DialCallSid=FIRST, DialCallStatus="canceled", CallStatus="completed")
        assert verbs(response) == ["Hangup"]
    assert Transfer.objects.get().state == TransferState.CALLER_LEFT
    assert list(TransferAttempt.objects.values_list("state", flat=True)) == ["canceled", "planned"]
    assert Call.objects.get().end_reason == EndReason.CALLER_HUNG_UP


def dial_failed(twilio: Twilio, path: str = "/twiml/after-dial", sid: str = FIRST) -> list[str]:
    return verbs(twilio.post(path, DialCallSid=sid, DialCallStatus="no-answer", CallStatus="in-progress"))


def test_cold_transfers_count_as_calls_to_people_too(
    twilio: Twilio, stream: MediaStream, three: list[TransferTarget], settings: Settings
) -> None:
    settings.MAX_TRANSFER_CALLS_PER_DAY = 1
    assert hand_over(twilio, stream) == ANNA
    assert "Record" in dial_failed(twilio)
    assert list(TransferAttempt.objects.values_list("state", "failure")) == [
        ("no_answer", ""), ("failed", "too_many_today"),
    ]  # fmt: skip


def test_transfers_at_vapi_and_into_rooms_count_too(
    twilio: Twilio, stream: MediaStream, three: list[TransferTarget], settings: Settings
) -> None:
    settings.MAX_TRANSFER_CALLS_PER_DAY = 2
    call = stream.call
    assert call.organization is not None
    room = Call.objects.create(organization=call.organization, kind=CallKind.ROOM)
    stranger = Call.objects.create(organization=None)
    record_event(call.pk, "transfer_attempt", {"target": "Anna", "outcome": "busy"})  # its row counts, not its line
    record_event(stranger.pk, "transfer_at_vapi")
    record_event(room.pk, "transfer_attempt", {"target": "anna"})
    assert not are_too_many(call.organization)
    record_event(call.pk, "transfer_at_vapi", {"target": "anna"})
    assert are_too_many(call.organization)
    set_follow_up(stream.id, FollowUp.HAND_OVER, "anna")
    assert "Dial" not in verbs(twilio.post("/twiml/after", CallStatus="in-progress"))


@pytest.mark.parametrize(("wish", "step"), [
    (FollowUp.HAND_OVER, "take_message"), (FollowUp.FALL_BACK, "apologize_and_take_message"),
])  # fmt: skip
def test_no_first_dial_is_made_beyond_the_maximum_of_a_day(
    twilio: Twilio, stream: MediaStream, three: list[TransferTarget], settings: Settings, wish: FollowUp, step: str
) -> None:
    TransferTarget.objects.filter(slug="anna").update(is_fallback=True)
    settings.MAX_TRANSFER_CALLS_PER_DAY = 0
    set_follow_up(stream.id, wish, "anna" if wish is FollowUp.HAND_OVER else "")
    assert "Dial" not in verbs(twilio.post("/twiml/after", CallStatus="in-progress"))
    detail = Call.objects.get().events.get(kind="stream_over").detail
    assert (detail["next"], detail["why"]) == (step, "too_many_today")


def test_a_number_that_became_ours_meanwhile_is_not_dialed(
    twilio: Twilio, stream: MediaStream, three: list[TransferTarget], line: PhoneNumber
) -> None:
    hand_over(twilio, stream)
    PhoneNumber.objects.create(organization=line.organization, number=BEN)
    assert "Record" in dial_failed(twilio)
    assert TransferAttempt.objects.get(slug="ben").failure == "our_own"


def test_a_dial_whose_result_was_lost_is_closed_in_the_end(
    twilio: Twilio, stream: MediaStream, three: list[TransferTarget]
) -> None:
    hand_over(twilio, stream)
    Transfer.objects.update(created_at=timezone.now() - dt.timedelta(hours=2))
    advance_all()
    assert Transfer.objects.get().state == TransferState.NOBODY
    attempt = TransferAttempt.objects.get(position=0)
    assert (attempt.state, attempt.failure) == ("failed", "no_word")


def test_without_any_country_no_number_is_called(line: PhoneNumber, settings: Settings) -> None:
    organization = line.organization
    organization.country, organization.time_zone, organization.currency = "", "UTC", "EUR"
    PhoneNumber.objects.all().delete()
    assert why_not_called(ANNA, organization) is NotCalled.NO_COUNTRY
    with pytest.raises(ValidationError, match="Enter the organization's country first"):
        TransferTarget(organization=organization, slug="anna", name="Anna", number=ANNA).clean()
    settings.TRANSFER_COUNTRIES = ["DE"]
    assert why_not_called(ANNA, organization) is None

"""A warm transfer by its webhooks: repeated, out of order, too late, of other calls, and after a killed process."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import threading
import wave
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import Settings

from agents.transfers.models import IfNobody, TransferMode, TransferTarget
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallState
from sessions.calls.services import finish_call
from telephony.twilio.models import FollowUp, MediaStream, PhoneNumber
from telephony.twilio.services.follow_ups import set_follow_up, stream_ended
from telephony.twilio.services.lost_calls import close_lost_calls
from telephony.twilio.services.streams import redeem_token
from telephony.twilio.tokens import token_for
from telephony.twilio.transfers import progress
from telephony.twilio.transfers.advance import advance, advance_all
from telephony.twilio.transfers.models import AttemptState, Transfer, TransferAttempt, TransferState
from telephony.twilio.webhooks import transfer as transfer_webhook

from .conftest import ACCOUNT_SID, CALL_SID, CALLER, NUMBER, PUBLIC, Twilio, verbs, xml
from .phones import Phones, twilio_phones

pytestmark = pytest.mark.django_db

ANNA, BEN = "+493055555551", "+493055555552"
NO_ID = "00000000-0000-4000-8000-000000000000"
LONG_AGO = dt.timedelta(minutes=3)


@pytest.fixture(autouse=True)
def phones(settings: Settings) -> Iterator[Phones]:
    with twilio_phones() as phones:
        settings.TWILIO_BASE_URL = phones.base_url
        yield phones


@pytest.fixture
def anna(line: PhoneNumber) -> TransferTarget:
    return make_target(line, "anna", ANNA)


@pytest.fixture
def ben(line: PhoneNumber) -> TransferTarget:
    return make_target(line, "ben", BEN, position=1)


def make_target(line: PhoneNumber, slug: str, number: str, **details: object) -> TransferTarget:
    given = {"department": "Workshop", "mode": TransferMode.WARM, "if_nobody": IfNobody.AGENT} | details
    return TransferTarget.objects.create(
        organization=line.organization, slug=slug, name=slug.title(), number=number, **given
    )


@pytest.fixture
def transfer(twilio: Twilio, stream: MediaStream, anna: TransferTarget) -> Transfer:
    """The caller is connected, and has just been put on hold for Anna."""
    return hold(twilio, stream)


def hold(twilio: Twilio, stream: MediaStream, wanted: str = "anna") -> Transfer:
    Call.objects.update(state=CallState.CONNECTED, connected_at=timezone.now())
    MediaStream.objects.filter(pk=stream.pk).update(used_at=timezone.now())
    set_follow_up(stream.id, FollowUp.HAND_OVER, wanted)
    assert verbs(twilio.post("/twiml/after", CallStatus="in-progress"))[-1] == "Redirect"
    return Transfer.objects.get()


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def the_leg(phones: Phones, number: str = ANNA) -> dict[str, str]:
    return next(call for call in phones.placed if call["To"] == number)


def from_leg(twilio: Twilio, leg: dict[str, str], url: str, **fields: str) -> list[str]:
    """The verbs of what the person's leg gets."""
    return verbs(twilio.post(path_of(url), **leg_fields(leg) | fields))


def leg_fields(leg: dict[str, str]) -> dict[str, str]:
    return {
        "CallSid": leg["sid"],
        "From": NUMBER,
        "To": leg["To"],
        "CallStatus": "in-progress",
        "Direction": "outbound-api",
    }


def leg_status(twilio: Twilio, leg: dict[str, str], status: str) -> None:
    response = twilio.post(path_of(leg["StatusCallback"]), **leg_fields(leg) | {"CallStatus": status})
    assert response.status_code == 204


def press(twilio: Twilio, leg: dict[str, str], keys: str) -> list[str]:
    attempt = TransferAttempt.objects.get(call_sid=leg["sid"])
    return from_leg(twilio, leg, f"{PUBLIC}/twiml/transfer/pressed?attempt={attempt.pk}", Digits=keys)


def caller_asks(twilio: Twilio, transfer: Transfer, **fields: str) -> list[str]:
    path = f"/twiml/transfer/caller?transfer={transfer.pk}&round=1"
    return verbs(twilio.post(path, **{"CallStatus": "in-progress"} | fields))


def entered(twilio: Twilio, transfer: Transfer, call_sid: str) -> None:
    path = f"/twilio/conference-status?transfer={transfer.pk}"
    twilio.post(path, CallSid=call_sid, StatusCallbackEvent="participant-join", ConferenceSid="CF1")


def states() -> list[tuple[str, str]]:
    return list(TransferAttempt.objects.order_by("position").values_list("slug", "state"))


def accept(twilio: Twilio, transfer: Transfer, phones: Phones) -> dict[str, str]:
    """Anna has answered and pressed 1."""
    advance(transfer.pk)
    leg = the_leg(phones)
    assert from_leg(twilio, leg, leg["Url"]) == ["Gather", "Gather", "Hangup"]
    assert press(twilio, leg, "1")[-1] == "Dial"
    return leg


def test_the_caller_waits_and_the_persons_phone_rings_once(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    for _ in range(3):
        advance(transfer.pk)
        advance_all()
    (leg,) = phones.placed
    assert leg.items() >= {"To": ANNA, "From": NUMBER, "Timeout": "25"}.items()
    assert "CallToken" not in leg
    assert caller_asks(twilio, transfer)[-2:] == ["Play", "Redirect"]
    call = Call.objects.get()
    assert (call.state, call.process) == (CallState.CONNECTED, "")


def test_a_repeated_end_of_the_stream_gets_the_same_and_makes_no_second_transfer(
    twilio: Twilio, transfer: Transfer
) -> None:
    first = twilio.post("/twiml/after", CallStatus="in-progress").content
    assert twilio.post("/twiml/after", CallStatus="in-progress").content == first
    assert Transfer.objects.count() == 1
    assert TransferAttempt.objects.count() == 1


def test_key_1_joins_both_and_every_repetition_gets_the_same(
    twilio: Twilio, transfer: Transfer, phones: Phones
) -> None:
    leg = accept(twilio, transfer, phones)
    assert phones.sent_on == [CALL_SID]
    for _ in range(2):
        assert press(twilio, leg, "1")[-1] == "Dial"
        assert press(twilio, leg, "2")[-1] == "Dial", "the first key stands"
    assert phones.sent_on == [CALL_SID]
    response = twilio.post(f"/twiml/transfer/caller?transfer={transfer.pk}", CallStatus="in-progress")
    conference = xml(response).find("./Dial/Conference")
    assert conference is not None
    assert conference.text == f"transfer-{transfer.pk}"
    assert conference.attrib["endConferenceOnExit"] == "true"
    assert conference.attrib["waitUrl"] == f"{PUBLIC}/sounds/hold.wav"
    for sid in (leg["sid"], CALL_SID) * 2:
        entered(twilio, transfer, sid)
    transfer.refresh_from_db()
    assert transfer.state == TransferState.TALKING
    assert Call.objects.get().events.filter(kind="transfer_joined").count() == 1


def test_the_talk_ends_the_call_once_whoever_hangs_up(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    leg = accept(twilio, transfer, phones)
    entered(twilio, transfer, leg["sid"])
    entered(twilio, transfer, CALL_SID)
    Transfer.objects.update(joined_at=timezone.now() - dt.timedelta(seconds=31))
    for _ in range(2):
        path = f"/twiml/transfer/caller-over?transfer={transfer.pk}"
        assert verbs(twilio.post(path, DialCallStatus="answered", CallStatus="in-progress")) == ["Hangup"]
        leg_status(twilio, leg, "completed")
        twilio.post("/twilio/call-status", CallStatus="completed")
    transfer.refresh_from_db()
    call = Call.objects.get()
    assert (transfer.state, transfer.talk_s) == (TransferState.TALKED, 31)
    assert (call.state, call.end_reason, call.transferred_to) == (CallState.COMPLETED, EndReason.TRANSFERRED, "Anna")
    assert call.events.get(kind="transfer_over").detail == {"status": "completed", "duration_s": 31}


ORDERS = sorted(set(itertools.permutations(("initiated", "ringing", "in-progress", "no-answer"))))


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_the_next_person_is_called_once_in_whatever_order_the_statuses_come(
    order: tuple[str, ...], twilio: Twilio, transfer: Transfer, phones: Phones, line: PhoneNumber
) -> None:
    TransferAttempt.objects.create(
        transfer=transfer, position=1, slug="ben", name="Ben", number=BEN, caller_id="organization"
    )
    advance(transfer.pk)
    leg = the_leg(phones)
    for status in order:
        for _ in range(2):
            leg_status(twilio, leg, status)
            advance(transfer.pk)
    assert phones.numbers == [ANNA, BEN]
    assert states() == [("anna", "no_answer"), ("ben", "ringing")]


def test_a_leg_that_is_answered_too_late_is_hung_up(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    advance(transfer.pk)
    leg = the_leg(phones)
    TransferAttempt.objects.update(dialed_at=timezone.now() - LONG_AGO)
    advance(transfer.pk)
    assert states() == [("anna", "no_answer")]
    assert leg["sid"] in phones.hung_up
    assert from_leg(twilio, leg, leg["Url"]) == ["Hangup"]
    assert press(twilio, leg, "1") == ["Hangup"]
    transfer.refresh_from_db()
    assert transfer.state == TransferState.NOBODY


def test_who_answers_and_does_not_decide_is_given_up(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    advance(transfer.pk)
    leg = the_leg(phones)
    from_leg(twilio, leg, leg["Url"])
    TransferAttempt.objects.update(answered_at=timezone.now() - LONG_AGO)
    advance(transfer.pk)
    assert states() == [("anna", "not_accepted")]
    assert leg["sid"] in phones.hung_up


@pytest.mark.parametrize(("characters", "prompts", "seconds", "state"), [
    (100, 1, 49, "answered"), (100, 1, 51, "not_accepted"),
    (1200, 1, 150, "answered"), (1200, 3, 400, "answered"), (1200, 3, 500, "not_accepted"),
])  # fmt: skip
def test_a_person_is_given_the_time_that_the_summary_takes(
    twilio: Twilio, transfer: Transfer, phones: Phones, characters: int, prompts: int, seconds: int, state: str
) -> None:
    Transfer.objects.update(summary="x" * characters)
    advance(transfer.pk)
    leg = the_leg(phones)
    from_leg(twilio, leg, leg["Url"])
    answered_at = timezone.now() - dt.timedelta(seconds=seconds)
    TransferAttempt.objects.update(answered_at=answered_at, prompts=prompts)
    Transfer.objects.update(seen_at=timezone.now())
    advance(transfer.pk)
    assert states() == [("anna", state)]


def test_other_keys_repeat_the_offer_and_end_it_in_the_end(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    advance(transfer.pk)
    leg = the_leg(phones)
    from_leg(twilio, leg, leg["Url"])
    assert press(twilio, leg, "7")[0] == "Gather"
    assert press(twilio, leg, "")[0] == "Gather"
    assert press(twilio, leg, "9") == ["Say", "Hangup"]
    assert states() == [("anna", "not_accepted")]


def test_the_process_that_placed_the_call_was_killed_before_it_knew_the_leg(
    twilio: Twilio, transfer: Transfer, phones: Phones
) -> None:
    attempt = TransferAttempt.objects.get()
    TransferAttempt.objects.update(state=AttemptState.DIALING, dialed_at=timezone.now())
    sid = "CA" + uuid4().hex
    status = f"/twilio/transfer-status?attempt={attempt.pk}"
    twilio.post(status, CallSid=sid, CallStatus="ringing")
    answered = twilio.post(f"/twiml/transfer/answered?attempt={attempt.pk}", CallSid=sid, CallStatus="in-progress")
    assert verbs(answered)[0] == "Gather", "the leg names its attempt, and goes on"
    attempt.refresh_from_db()
    assert (attempt.call_sid, attempt.state) == (sid, AttemptState.ANSWERED)


def test_the_process_was_killed_before_it_placed_the_call(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    TransferAttempt.objects.update(state=AttemptState.DIALING, dialed_at=timezone.now() - LONG_AGO)
    advance_all()
    assert states() == [("anna", "failed")]
    assert TransferAttempt.objects.get().failure == "no_word"
    assert caller_asks(twilio, transfer) == ["Connect"]


def test_a_leg_of_a_request_that_had_no_response_is_hung_up(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    attempt = TransferAttempt.objects.get()
    phones.refuse_with = (503, 0)
    advance(transfer.pk)
    assert states() == [("anna", "failed")]
    phones.refuse_with = None
    sid = "CA" + uuid4().hex
    twilio.post(f"/twilio/transfer-status?attempt={attempt.pk}", CallSid=sid, CallStatus="ringing")
    advance_all()
    assert phones.hung_up == [sid]


def test_a_transfer_that_fails_keeps_no_other_caller_waiting(
    twilio: Twilio, transfer: Transfer, phones: Phones, stream: MediaStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Call.objects.create(carrier_sid="CA" + "6" * 32, state=CallState.CONNECTED, caller_number=CALLER)
    other = MediaStream.objects.create(call=call, account_sid=ACCOUNT_SID, expires_at=timezone.now())
    broken = Transfer.objects.create(call=call, stream=other, wanted="x", name="X", mode="warm", if_nobody="agent")
    Transfer.objects.filter(pk=broken.pk).update(created_at=timezone.now() - dt.timedelta(seconds=5))
    lock = progress.lock

    def lock_or_fail(transfer_id: UUID) -> Transfer:
        if transfer_id == broken.pk:
            raise ValueError("a fault of ours")
        return lock(transfer_id)

    monkeypatch.setattr(progress, "lock", lock_or_fail)
    assert advance_all() == 2
    assert phones.numbers == [ANNA]


def test_another_leg_cannot_speak_for_an_attempt(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    advance(transfer.pk)
    leg = the_leg(phones)
    stranger = leg | {"sid": "CA" + "7" * 32}
    attempt = TransferAttempt.objects.get()
    assert from_leg(twilio, stranger, leg["Url"]) == ["Hangup"]
    pressed = f"/twiml/transfer/pressed?attempt={attempt.pk}"
    assert verbs(twilio.post(pressed, **leg_fields(stranger) | {"Digits": "1"})) == ["Hangup"]
    leg_status(twilio, stranger, "completed")
    assert caller_asks(twilio, transfer, CallSid="CA" + "7" * 32) == ["Hangup"]
    entered(twilio, transfer, stranger["sid"])
    assert states() == [("anna", "ringing")]


@pytest.mark.parametrize("query", ["", "?attempt=", "?attempt=x", f"?attempt={NO_ID}", f"?transfer={NO_ID}"])
@pytest.mark.parametrize("webhook", ["caller", "caller-over", "answered", "pressed", "person-over"])
def test_what_names_no_transfer_is_hung_up(twilio: Twilio, call: Call, webhook: str, query: str) -> None:
    assert verbs(twilio.post(f"/twiml/transfer/{webhook}{query}", Digits="1")) == ["Hangup"]


def test_the_caller_hangs_up_on_hold(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    advance(transfer.pk)
    leg = the_leg(phones)
    for _ in range(2):
        twilio.post("/twilio/call-status", CallStatus="completed")
    advance_all()
    call = Call.objects.get()
    assert (call.state, call.end_reason) == (CallState.COMPLETED, EndReason.CALLER_HUNG_UP)
    assert states() == [("anna", "canceled")]
    assert phones.hung_up == [leg["sid"]]
    assert from_leg(twilio, leg, leg["Url"]) == ["Hangup"]


def test_the_person_accepts_a_caller_who_has_just_left(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    advance(transfer.pk)
    leg = the_leg(phones)
    from_leg(twilio, leg, leg["Url"])
    phones.refuse_with = (400, 21220)
    assert press(twilio, leg, "1") == ["Say", "Hangup"]
    transfer.refresh_from_db()
    assert transfer.state == TransferState.CALLER_LEFT
    assert Call.objects.get().end_reason == EndReason.CALLER_HUNG_UP


def test_a_caller_of_whom_nothing_is_heard_is_looked_for(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    Transfer.objects.update(seen_at=timezone.now() - LONG_AGO)
    advance_all()
    transfer.refresh_from_db()
    assert (transfer.state, len(phones.placed)) == (TransferState.WAITING, 1), (
        "the carrier says that the caller is there"
    )
    Transfer.objects.update(seen_at=timezone.now() - LONG_AGO)
    phones.status = "completed"
    advance_all()
    transfer.refresh_from_db()
    assert transfer.state == TransferState.CALLER_LEFT


def test_a_call_in_a_transfer_is_not_lost(twilio: Twilio, transfer: Transfer) -> None:
    Call.objects.update(lease_expires_at=timezone.now() - LONG_AGO)
    assert close_lost_calls() == 0
    Transfer.objects.update(state=TransferState.TALKED)
    assert close_lost_calls() == 1


def test_the_person_hangs_up_before_the_caller_has_come(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    leg = accept(twilio, transfer, phones)
    leg_status(twilio, leg, "completed")
    advance(transfer.pk)
    assert states() == [("anna", "not_accepted")]
    assert phones.sent_on[:2] == [CALL_SID, CALL_SID], "out of the conference again"
    assert caller_asks(twilio, transfer) == ["Connect"]


def test_the_caller_never_comes_to_the_conference(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    leg = accept(twilio, transfer, phones)
    Transfer.objects.update(accepted_at=timezone.now() - LONG_AGO)
    advance_all()
    advance_all()
    assert states() == [("anna", "failed")]
    assert leg["sid"] in phones.hung_up


def test_a_refused_conference_brings_the_caller_back_at_once(
    twilio: Twilio, transfer: Transfer, phones: Phones
) -> None:
    accept(twilio, transfer, phones)
    path = f"/twiml/transfer/caller-over?transfer={transfer.pk}"
    for _ in range(2):
        assert verbs(twilio.post(path, DialCallStatus="failed", CallStatus="in-progress")) == ["Connect"]
    assert TransferAttempt.objects.get().failure == "conference_refused"


def person_is_refused(twilio: Twilio, leg: dict[str, str]) -> list[str]:
    attempt = TransferAttempt.objects.get(call_sid=leg["sid"])
    path = f"/twiml/transfer/person-over?attempt={attempt.pk}"
    return verbs(twilio.post(path, **leg_fields(leg) | {"DialCallStatus": "failed"}))


def test_a_caller_who_is_back_with_the_agent_stays_there_when_the_person_is_refused_too(
    twilio: Twilio, transfer: Transfer, phones: Phones
) -> None:
    leg = accept(twilio, transfer, phones)
    path = f"/twiml/transfer/caller-over?transfer={transfer.pk}"
    assert verbs(twilio.post(path, DialCallStatus="failed", CallStatus="in-progress")) == ["Connect"]
    sent_on = list(phones.sent_on)
    assert person_is_refused(twilio, leg) == ["Say", "Hangup"]
    advance_all()
    assert phones.sent_on == sent_on


def test_a_person_hears_that_the_conference_was_refused_before_the_leg_is_ended(
    twilio: Twilio, transfer: Transfer, phones: Phones
) -> None:
    leg = accept(twilio, transfer, phones)
    path = f"/twiml/transfer/caller-over?transfer={transfer.pk}"
    twilio.post(path, DialCallStatus="failed", CallStatus="in-progress")
    advance_all()
    assert phones.hung_up == []
    assert person_is_refused(twilio, leg) == ["Say", "Hangup"]
    TransferAttempt.objects.update(ended_at=timezone.now() - dt.timedelta(seconds=16))
    advance_all()
    assert phones.hung_up == [leg["sid"]], "who does not go is hung up in the end"


def nobody(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    advance(transfer.pk)
    leg_status(twilio, the_leg(phones), "busy")
    advance(transfer.pk)


def test_back_at_the_agent_the_call_goes_on_with_a_stream_of_its_own(
    twilio: Twilio, transfer: Transfer, phones: Phones
) -> None:
    nobody(twilio, transfer, phones)
    assert phones.sent_on == [CALL_SID]
    path = f"/twiml/transfer/caller?transfer={transfer.pk}"
    first = twilio.post(path, CallStatus="in-progress").content
    assert twilio.post(path, CallStatus="in-progress").content == first
    back = MediaStream.objects.get(is_return=True)
    redeemed = redeem_token(token_for(back.id), call_sid=CALL_SID, account_sid=ACCOUNT_SID, stream_sid="MZ2", hints={})
    assert redeemed.is_return
    call = Call.objects.get()
    assert (call.state, call.process != "") == (CallState.CONNECTED, True)
    assert call.events.filter(kind="agent_back").count() == 1
    assert verbs(twilio.post("/twiml/after", CallStatus="in-progress"))[-1] == "Redirect", "as before"
    set_follow_up(back.id, FollowUp.HANG_UP)
    assert verbs(twilio.post(f"/twiml/after?stream={back.id}", CallStatus="in-progress")) == ["Hangup"]


def test_a_caller_whom_the_carrier_did_not_send_back_is_sent_again(
    twilio: Twilio, transfer: Transfer, phones: Phones
) -> None:
    advance(transfer.pk)
    leg_status(twilio, the_leg(phones), "busy")
    phones.refuse_with = (503, 0)
    advance(transfer.pk)
    transfer.refresh_from_db()
    assert transfer.state == TransferState.NOBODY
    phones.refuse_with = None
    Transfer.objects.update(ended_at=timezone.now() - dt.timedelta(seconds=12))
    phones.changed.clear()
    advance_all()
    assert phones.sent_on == [CALL_SID]
    assert caller_asks(twilio, transfer) == ["Connect"]
    phones.changed.clear()
    advance_all()
    assert phones.sent_on == []


def test_where_a_message_is_wanted_the_call_is_over_for_the_agent(
    twilio: Twilio, transfer: Transfer, phones: Phones
) -> None:
    Transfer.objects.update(if_nobody=IfNobody.MESSAGE)
    nobody(twilio, transfer, phones)
    assert "Record" in caller_asks(twilio, transfer)
    call = Call.objects.get()
    assert (call.state, call.end_reason) == (CallState.COMPLETED, EndReason.NOBODY_THERE)


def test_a_caller_who_asks_again_and_again_gets_a_message_in_the_end(
    twilio: Twilio, transfer: Transfer, stream: MediaStream
) -> None:
    for _ in range(3):
        earlier = MediaStream.objects.create(
            call=stream.call, account_sid=ACCOUNT_SID, expires_at=timezone.now(), is_return=True
        )
        Transfer.objects.create(
            call=stream.call, stream=earlier, wanted="anna", name="Anna", mode="warm", if_nobody="agent", state="nobody"
        )
    Transfer.objects.update(state=TransferState.NOBODY)
    last = MediaStream.objects.create(
        call=stream.call, account_sid=ACCOUNT_SID, expires_at=timezone.now(), is_return=True
    )
    set_follow_up(last.id, FollowUp.HAND_OVER, "anna")
    assert "Record" in verbs(twilio.post(f"/twiml/after?stream={last.id}", CallStatus="in-progress"))


def test_there_are_only_so_many_calls_to_people_in_a_day(
    twilio: Twilio, transfer: Transfer, phones: Phones, settings: Settings
) -> None:
    settings.MAX_TRANSFER_CALLS_PER_DAY = 0
    advance(transfer.pk)
    assert phones.placed == []
    assert TransferAttempt.objects.get().failure == "too_many_today"
    assert caller_asks(twilio, transfer) == ["Connect"]


def test_the_callers_number_is_not_called_and_the_timeline_says_so(
    twilio: Twilio, stream: MediaStream, anna: TransferTarget, ben: TransferTarget, phones: Phones
) -> None:
    TransferTarget.objects.filter(pk=anna.pk).update(number=CALLER)
    transfer = hold(twilio, stream)
    advance(transfer.pk)
    assert phones.numbers == [BEN]
    event = Call.objects.get().events.get(kind="transfer_number_refused")
    assert event.detail == {"target": "Anna", "why": "the_callers"}


def test_without_the_database_the_caller_goes_on_waiting(
    twilio: Twilio, transfer: Transfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(transfer_webhook, "_transfer", away)
    assert caller_asks(twilio, transfer) == ["Play", "Redirect"]
    path = f"/twiml/transfer/caller?transfer={transfer.pk}&round=41"
    assert verbs(twilio.post(path)) == ["Say", "Say", "Hangup"]


def test_an_operator_who_ends_the_call_ends_the_wait(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    advance(transfer.pk)
    finish_call(transfer.call_id, reason=EndReason.HUNG_UP_BY_OPERATOR)
    assert caller_asks(twilio, transfer) == ["Hangup"]
    advance_all()
    assert phones.hung_up == [the_leg(phones)["sid"]]


@pytest.mark.parametrize("carrier_is_first", [False, True])
def test_the_call_stays_live_while_it_is_transferred(
    carrier_is_first: bool, twilio: Twilio, stream: MediaStream, anna: TransferTarget
) -> None:
    Call.objects.update(state=CallState.CONNECTED, connected_at=timezone.now())
    set_follow_up(stream.id, FollowUp.HAND_OVER, "anna")
    if carrier_is_first:
        twilio.post("/twiml/after", CallStatus="in-progress")
    assert stream_ended(stream.call_id, EndReason.TRANSFERRED)
    assert Call.objects.get().state == CallState.CONNECTED
    TransferTarget.objects.update(mode=TransferMode.COLD, if_nobody=IfNobody.MESSAGE)
    assert stream_ended(stream.call_id, EndReason.CALLER_HUNG_UP)
    assert Call.objects.get().state == CallState.COMPLETED


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_place_one_call(twilio: Twilio, transfer: Transfer, phones: Phones) -> None:
    def work() -> None:
        try:
            with suppress(OperationalError):
                advance(transfer.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert phones.numbers == [ANNA]


def test_the_sound_of_the_hold_lasts_8_seconds_and_needs_no_signature(twilio: Twilio) -> None:
    response = twilio.client.get("/sounds/hold.wav")
    with wave.open(io.BytesIO(response.content)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (8000, 1, 64_000)
    assert response["Content-Type"] == "audio/wav"

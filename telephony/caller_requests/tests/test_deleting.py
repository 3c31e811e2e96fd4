"""A caller's everything is deleted, here and at providers; what remains is a proof without the caller."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import connection
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.privacy.models import OnHold, PrivacySettings
from agents.tests.builders import make_organization
from recordings.models import Recording
from recordings.tests.places import content_of_bucket, keys_in_bucket
from sessions.appointments.models import Appointment
from sessions.calls.models import Call, CallState, TranscriptLine
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.messages.texts.models import OptOut, Text
from sessions.orders.models import Order
from telephony.caller_requests.deleting import TOPIC, StillOnCall, close_request, retry_deletion, start_deletion
from telephony.caller_requests.finding import CallerData
from telephony.caller_requests.models import CallerRequest
from voiceapp.core.errors import ApplicationError
from voiceapp.simulators.twilio.tests.running import RunningTwilio
from voiceapp.tests.dying import Point, in_a_process_that_dies

from .conftest import NUMBER, OTHER, SIGNS, make_caller

pytestmark = pytest.mark.django_db(transaction=True)
State = CallerRequest.State
DELETING = "telephony.caller_requests.deleting"
EVERYTHING = {
    "calls": 1, "transcript lines": 2, "recordings": 1, "voicemail messages": 1, "texts": 1, "orders": 1,
    "appointments": 1, "opt-outs": 1,
}  # fmt: skip


def work() -> None:
    outbox.process_due([TOPIC])


def delete(request: CallerRequest) -> CallerRequest:
    start_deletion(request, by="alice")
    work()
    request.refresh_from_db()
    return request


def tables() -> list[str]:
    """All of the database, those of the search included."""
    return connection.introspection.table_names()


def dump() -> str:
    """Every value of every table; bytes as Latin-1, so that no word hides in them."""
    found: list[str] = []
    with connection.cursor() as cursor:
        for name in tables():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")
            found += [_text(value) for row in cursor.fetchall() for value in row]
    return "\n".join(found)


def _text(value: Any) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def files(folder: Path) -> str:
    """The names and contents of every file on the disk and, where one is used, in the bucket."""
    found = [f"{path}\n{_text(path.read_bytes())}" for path in folder.rglob("*") if path.is_file()]
    if settings.LIVEKIT_RECORDING_BUCKET:
        found += [*keys_in_bucket(), *map(_text, content_of_bucket())]
    return "\n".join(found)


def signs_in(text: str) -> set[str]:
    return {sign for sign in SIGNS if re.search(re.escape(sign), text, re.IGNORECASE)}


def test_a_deleted_callers_number_and_words_are_found_nowhere(
    stored_keys: Callable[[], list[str]],
    request_of_caller: CallerRequest,
    others_call: Call,
    on_disk: Path,
    carrier: RunningTwilio,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert signs_in(dump()) == set(SIGNS) - {"017655501234"}
    assert signs_in(files(on_disk))
    assert len(stored_keys()) == 2
    request = delete(request_of_caller)
    assert request.state == State.DELETED, request.waits_for
    printed = capfd.readouterr()
    assert signs_in(dump()) == set()
    assert signs_in(files(on_disk)) == set()
    assert len(stored_keys()) == 1
    assert signs_in(caplog.text + printed.out + printed.err) == set()
    assert carrier.do(lambda server: len(server.carrier.account.recordings)) == 2  # the other caller's


def test_the_proof_says_how_much_was_deleted_and_by_whom(request_of_caller: CallerRequest) -> None:
    request = delete(request_of_caller)
    assert request.deleted == EVERYTHING
    assert (request.number, request.requested_by, request.deletion_by) == ("", "alice", "alice")
    assert request.ended_at is not None


def test_orders_and_appointments_stay_without_the_person(request_of_caller: CallerRequest) -> None:
    delete(request_of_caller)
    order, appointment = Order.objects.get(), Appointment.objects.get()
    assert (order.customer_name, order.customer_number, order.note, order.call_id) == ("", "", "", None)
    assert order.total == 1
    assert order.lines.get().note == ""
    assert (appointment.customer_name, appointment.customer_number, appointment.vehicle) == ("Deleted", "", "")
    post = OutboxMessage.objects.get(event="order.submitted")
    assert (post.state, post.body["data"]["customerName"], post.body["data"]["customerNumber"]) == ("waiting", "", "")
    assert set(LogEntry.objects.values_list("object_repr", "change_message")) == {("Deleted", "")}


def test_other_callers_and_other_organizations_keep_theirs(
    request_of_caller: CallerRequest, others_call: Call, carrier: RunningTwilio
) -> None:
    meadow = make_caller(make_organization("Meadow"), NUMBER, "CA" + "3" * 32, carrier, signs=False)
    delete(request_of_caller)
    assert set(Call.objects.all()) == {others_call, meadow}
    assert TranscriptLine.objects.count() == 4
    assert Recording.objects.count() == Text.objects.count() == OptOut.objects.count() == 2
    assert Order.objects.filter(customer_number=OTHER).count() == 1


@pytest.mark.parametrize(
    "column",
    [
        {"caller_number": f"sip:{NUMBER}@example.com;user=phone"},
        {"caller_number": f"whatsapp:{NUMBER}"},
        {"direction": "outbound", "dialed_number": NUMBER},
        {"callee": NUMBER},
    ],
)
def test_calls_of_the_number_are_found_however_the_carrier_writes_it(
    harbour: Organization, column: dict[str, str]
) -> None:
    call = Call.objects.create(organization=harbour, **column)
    Call.objects.create(organization=harbour, caller_number="sip:+49176555012349@example.com", dialed_number=NUMBER)
    assert list(CallerData(harbour, NUMBER).calls) == [call]


def test_a_call_in_a_room_is_found_by_its_participant(harbour: Organization) -> None:
    call = Call.objects.create(organization=harbour)
    participant = apps.get_model("voice_sessions", "Participant")
    participant.objects.create(call=call, sid="PA_1", identity=f"sip_{NUMBER}")
    assert list(CallerData(harbour, NUMBER).calls) == [call]


def test_a_legal_hold_stops_it_before_and_while_it_runs(request_of_caller: CallerRequest) -> None:
    hold = PrivacySettings.objects.create(
        organization=request_of_caller.organization, is_on_hold=True, hold_reason="A case"
    )
    with pytest.raises(OnHold, match="legal hold"):
        start_deletion(request_of_caller, by="alice")
    hold.delete()
    start_deletion(request_of_caller, by="alice")
    PrivacySettings.objects.create(organization=request_of_caller.organization, is_on_hold=True, hold_reason="A case")
    work()
    request_of_caller.refresh_from_db()
    assert "legal hold" in request_of_caller.waits_for
    assert Call.objects.count() == 1
    PrivacySettings.objects.all().delete()
    retry_deletion(request_of_caller)
    work()
    request_of_caller.refresh_from_db()
    assert request_of_caller.state == State.DELETED


def test_nothing_is_deleted_during_a_call(request_of_caller: CallerRequest) -> None:
    Call.objects.create(organization=request_of_caller.organization, caller_number=NUMBER, state=CallState.CONNECTED)
    with pytest.raises(StillOnCall):
        start_deletion(request_of_caller, by="alice")


def test_it_waits_while_twilio_does_not_respond(
    request_of_caller: CallerRequest, carrier: RunningTwilio, settings: Settings
) -> None:
    settings.TWILIO_BASE_URL = carrier.fault_url("rest_500")
    request = delete(request_of_caller)
    assert request.state == State.DELETING
    assert "twilio" in request.waits_for
    assert Recording.objects.count() == 1
    settings.TWILIO_BASE_URL = carrier.url
    retry_deletion(request)
    work()
    request.refresh_from_db()
    assert (request.state, request.waits_for) == (State.DELETED, "")


KILLS: list[Point] = [
    (DELETING, "_delete_text", "after"),
    (DELETING, "_empty_order", "after"),
    (DELETING, "_delete_at_providers", "after"),
    (DELETING, "delete_audio", "after"),
    (DELETING, "_delete_call", "after"),
    (DELETING, "forget_removed", "before"),
]


def test_a_worker_that_is_killed_leaves_it_to_the_next(
    stored_keys: Callable[[], list[str]], harbour: Organization, carrier: RunningTwilio
) -> None:
    """A caller's request for each point, in one place."""
    for at, point in enumerate(KILLS):
        make_caller(harbour, NUMBER, f"CA{at:032}", carrier, signs=True)
        request = CallerRequest.objects.create(organization=harbour, number=NUMBER)
        start_deletion(request, by="alice")
        assert in_a_process_that_dies(work, point), point
        retry_deletion(request)
        OutboxMessage.objects.filter(topic=TOPIC).update(lease_expires_at=None)
        work()
        request.refresh_from_db()
        assert request.state == State.DELETED, (point, request.waits_for)
        assert signs_in(dump()) == set(), point
        assert stored_keys() == [], point
        assert request.deleted["calls"] == request.deleted["orders"] == 1, point


def test_a_request_is_worked_on_once_and_closed_once(request_of_caller: CallerRequest) -> None:
    close_request(request_of_caller)
    for again in (lambda: close_request(request_of_caller), lambda: start_deletion(request_of_caller, by="alice")):
        with pytest.raises(ApplicationError):
            again()
    request_of_caller.refresh_from_db()
    assert (request_of_caller.number, request_of_caller.state) == ("", State.CLOSED)
    assert Call.objects.count() == 1

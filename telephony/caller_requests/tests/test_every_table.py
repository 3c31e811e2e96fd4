"""No table keeps a word of a deleted caller: every text of every row that hangs on the caller's call is looked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import CharField, Field, JSONField, Model, TextField
from pytest_django import Settings

from recordings.models import Recording, RecordingAccess
from sessions.appointments.calendars.models import CalendarEntry
from sessions.appointments.models import Appointment, BookedResource, OccupiedSlot
from sessions.calls.models import Call, CallCommand, PassedMessage
from sessions.messages.outbox import outbox
from sessions.orders.models import Order, OrderLine, OrderModifier
from sessions.visitors.models import VisitorCall
from telephony.caller_requests.deleting import TOPIC, start_deletion
from telephony.caller_requests.models import CallerRequest
from voiceapp.console.tests.world import make_world

from .conftest import WORD
from .test_deleting import dump

pytestmark = pytest.mark.django_db(transaction=True)

# Records of the organization's business, which test_deleting.py looks at by their fields.
KEPT_WITHOUT_PERSON = {Order, OrderLine, OrderModifier, Appointment, BookedResource, OccupiedSlot, CalendarEntry}
# Who of the organization listened to a recording, and what a visitor of a page may cost.
WITHOUT_CALLER = {RecordingAccess, VisitorCall}
# By these the caller's calls and files are found.
NEEDED = {"caller_number", "bucket", "key"}


def of_calls() -> set[type[Model]]:
    """The tables whose rows hang on a call, directly or by way of others."""
    found: set[type[Model]] = {Call}
    while further := {each for each in apps.get_models() if each not in found and _leads_to(each, found)}:
        found |= further
    return found - KEPT_WITHOUT_PERSON - WITHOUT_CALLER


def _leads_to(model: type[Model], found: set[type[Model]]) -> bool:
    return model not in KEPT_WITHOUT_PERSON and any(
        field.related_model in found for field in model._meta.concrete_fields
    )


def texts_of(model: type[Model]) -> Iterator[Field[object, object]]:
    """Those that can hold a word of the caller's."""
    for field in model._meta.concrete_fields:
        is_free = not (field.choices or field.is_relation or field.primary_key or field.unique or field.name in NEEDED)
        is_long = (field.max_length or len(WORD)) >= len(WORD)
        if is_free and is_long and isinstance(field, CharField | TextField | JSONField):
            yield field


def test_every_text_of_every_table_of_a_call_goes_with_its_caller(on_disk: Path, settings: Settings) -> None:
    settings.TWILIO_ACCOUNT_SID = settings.VAPI_API_KEY = ""
    world = make_world("Zebra", digits="41")
    call: Call = world[Call]
    Recording.objects.update(bucket="")
    CallCommand.objects.create(call=call, kind="note", text="Say it.")
    PassedMessage.objects.create(call=call, kind="say", text="Say it.")
    filled = of_calls()
    assert len(filled) > 15
    for model in filled:
        columns = {field.name: {"said": WORD} if isinstance(field, JSONField) else WORD for field in texts_of(model)}
        if columns:
            assert model._default_manager.update(**columns), f"make_world() has no row of {model.__name__}"
    assert WORD in dump()
    request = CallerRequest.objects.create(organization=world.organization, number=call.caller_number)
    start_deletion(request, by="alice")
    outbox.process_due([TOPIC])
    request.refresh_from_db()
    assert request.state == CallerRequest.State.DELETED, request.waits_for
    assert not Call.objects.exists()
    assert WORD not in dump()
    assert call.caller_number[1:] not in dump()

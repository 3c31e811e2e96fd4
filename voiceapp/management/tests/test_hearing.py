"""`ring` and `run` say where a call can be heard."""

from __future__ import annotations

import pytest
from django.utils import timezone

from agents.tests.builders import make_organization
from recordings.models import Recording
from sessions.calls.models import Call
from voiceapp.management.ringing.hearing import newest_recorded_call, where_to_hear

pytestmark = pytest.mark.django_db

State = Recording.State


@pytest.mark.parametrize(
    ("state", "error", "says"),
    [
        (State.STORED, "", "Hear the call: http://here/admin/"),
        (State.CUT_SHORT, "No space left on device.", "Hear the call: http://here/admin/"),
        (State.STORING, "", "The recording is not stored yet. Hear the call later: http://here/admin/"),
        (
            State.FAILED,
            "The recording is silent.",
            "The call was not recorded (The recording is silent.): http://here/",
        ),
    ],
)
def test_the_page_of_a_recorded_call_is_named(state: State, error: str, says: str) -> None:
    call = Call.objects.create(organization=make_organization())
    Recording.objects.create(call=call, source="bridge", state=state, error=error, size_bytes=9)
    sentence = where_to_hear(call, "http://here", within_s=0)
    assert sentence.startswith(says)
    assert str(call.pk) in sentence
    can_be_heard = "Hear the call: " in sentence
    assert newest_recorded_call(since=call.created_at) == (call if can_be_heard else None)
    assert newest_recorded_call(since=timezone.now()) is None


def test_a_call_without_a_recording_has_no_sentence() -> None:
    assert where_to_hear(Call.objects.create(organization=make_organization()), "http://here", within_s=9) == ""

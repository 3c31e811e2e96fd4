"""A recording that the agent of a room makes: begun with the agent or at request, ended when its file is whole."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from agents.configuration.models import Persona
from recordings.errors import RecordingDeclined
from recordings.models import Recording
from recordings.sources.room_agent import delete, new_id
from sessions.calls.models import Call
from sessions.calls.services import record_event
from sessions.rooms.queries import recorder_of
from sessions.rooms.services.room_state import enqueue_room_state, recording_id

from .reports import finish_later
from .starting import create_recording

State = Recording.State
ROOM_AGENT = Recording.Source.ROOM_AGENT


def recording_of_agent(call_id: UUID) -> str:
    """The id of the recording that the agent of this call is to make now, empty if none.

    The first agent of a call that is to be recorded begins it; one that takes its place goes on with it.
    """
    call = Call.objects.select_related("agent_version").get(pk=call_id)
    is_wanted = call.is_recording_wanted and recorder_of(call) is Persona.RoomRecordedBy.AGENT
    if is_wanted and not call.recordings.exists():
        try:
            with transaction.atomic():
                file_type = Recording.FileType.OGG
                begun = create_recording(call, source=ROOM_AGENT, file_type=file_type, is_automatic=True)
                Recording.objects.filter(pk=begun.pk).update(external_id=new_id(begun))
                enqueue_room_state(call)  # clients see that it is recorded
        except (IntegrityError, RecordingDeclined):
            return ""
    return recording_id(call)


def agent_began(external_id: str, *, starts_at_ms: int) -> None:
    """Its file begins there on the call's clock. Of several agents the first one's counts."""
    with transaction.atomic():
        begun = Recording.objects.filter(source=ROOM_AGENT, external_id=external_id, state=State.STARTING)
        call_id = begun.values_list("call_id", flat=True).first()
        if begun.update(state=State.RECORDING, starts_at_ms=starts_at_ms):
            assert call_id is not None
            record_event(call_id, "recording_started", {"source": ROOM_AGENT.value})


def agent_ended(external_id: str, *, is_over: bool = True) -> None:
    """Its file is whole; one that the caller did not want is deleted with what was written last.

    `is_over`: no other agent goes on with it. Where the call is over, or it was stopped, none does in any case.
    """
    recording = Recording.objects.filter(source=ROOM_AGENT, external_id=external_id).select_related("call").first()
    if recording is not None and recording.state == State.CANCELED:
        delete(recording)
    elif recording is not None and (is_over or recording.state == State.STORING or not recording.call.is_live):
        finish_later(recording)

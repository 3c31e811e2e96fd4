"""The recording of a call that VAPI plays: noted when the call begins, fetched when VAPI reports its file."""

from __future__ import annotations

from agents.configuration.models import Persona
from recordings.models import Recording
from recordings.services.declining import delete_unnoted
from recordings.services.reports import begin_at_source, finish_later
from sessions.calls.models import Call
from voiceapp.providers.errors import ProviderError

from .models import VapiLeg

VAPI = Recording.Source.VAPI


def note_recording(leg: VapiLeg) -> None:
    """VAPI records the call from its beginning, if its agent wants that. Of a second part it is noted at its end."""
    if _is_recorded(leg):
        begin_at_source(leg.call, VAPI, external_id=leg.vapi_id)


def keep_recording(leg: VapiLeg) -> None:
    """VAPI has reported its file. Safe to repeat. Raises ProviderError while an earlier part is being stored."""
    recording = Recording.objects.filter(source=VAPI, external_id=leg.vapi_id).select_related("call").first()
    if recording is None and _is_recorded(leg) and leg.call.recording_declined_at is not None:
        delete_unnoted(leg.call, VAPI, leg.vapi_id)
    elif recording is None and _is_recorded(leg):
        recording = begin_at_source(leg.call, VAPI, external_id=leg.vapi_id, is_automatic=False)
        if recording is None:
            raise ProviderError("vapi", "another recording of the call is not stored yet")
    if recording is not None:
        Recording.objects.filter(pk=recording.pk).update(starts_at_ms=_starts_at_ms(leg), started_at=leg.started_at)
        finish_later(recording, ended_at=leg.ended_at)


def _is_recorded(leg: VapiLeg) -> bool:
    recorded = Call.objects.filter(pk=leg.call_id, agent_version__recording=Persona.RecordedBy.VAPI)
    return recorded.exists()


def _starts_at_ms(leg: VapiLeg) -> int:
    """On the clock of the transcript: VAPI's own, where no audio passes through us; else the bridge's."""
    connected_at = leg.call.connected_at
    if leg.carries_phone or connected_at is None or leg.started_at is None:
        return 0
    return round((leg.started_at - connected_at).total_seconds() * 1000)

"""What happens in a call's room and to its recording."""

from __future__ import annotations

from recordings.models import Recording
from recordings.services.reports import apply_report
from recordings.sources.livekit import report_of
from sessions.tests.builders import ROOM
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.values import EgressStatus
from voiceapp.simulators.livekit.tests.running import RunningLiveKit
from voiceapp.tests.waiting import soon

RECORDING = "/api/voice/recording"


def talk(livekit: RunningLiveKit, client: LiveKitClient, room: str = ROOM) -> None:
    livekit.join(client.join_token(room=room, identity=f"user-{room}"))


def becomes(client: LiveKitClient, egress_id: str, status: EgressStatus) -> None:
    """Wait until LiveKit has the status, then process its report."""

    def found() -> bool:
        fact = client.find_recording(egress_id)
        return fact is not None and fact.status is status

    soon(found)
    fact = client.find_recording(egress_id)
    assert fact
    apply_report(report_of(fact))


def only_recording() -> Recording:
    return Recording.objects.get()

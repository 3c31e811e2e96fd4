"""What LiveKit's egress has stored is checked and measured where it is, and placed on the call's clock."""

from __future__ import annotations

import json

import pytest
from pytest_django import Settings

from agents.tests.people import ApiClient
from recordings.files import file_size
from recordings.finishing.runs import finish_due
from recordings.models import Recording
from sessions.calls.models import Call
from sessions.tests.builders import ROOM
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.values import EgressStatus
from voiceapp.simulators.livekit.tests.running import RunningLiveKit

from .calls import RECORDING, becomes, only_recording

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("file_type", "place"), [("mp4", "in_bucket"), ("ogg", "in_bucket"), ("ogg", "at_google")])
def test_a_recording_of_a_room_is_checked_in_the_bucket(
    alice: ApiClient, call: Call, client: LiveKitClient, livekit: RunningLiveKit, settings: Settings,
    request: pytest.FixtureRequest, file_type: str, place: str,
) -> None:  # fmt: skip
    server = request.getfixturevalue(place)
    key = {"type": "service_account", "client_email": "a@b.test", "private_key": "k", "token_uri": f"{server}/token"}
    settings.GCS_CREDENTIALS = json.dumps(key)
    egress_id = alice.post(RECORDING, roomName=ROOM, fileType=file_type).json()["recording"]["egressId"]
    becomes(client, egress_id, EgressStatus.ACTIVE)
    livekit.advance(30)
    alice.delete(RECORDING, roomName=ROOM)
    becomes(client, egress_id, EgressStatus.COMPLETE)
    assert only_recording().step == "fetch"
    assert finish_due() == 1
    done = only_recording()
    assert (done.state, done.step, done.file_type) == (Recording.State.STORED, "", file_type)
    assert done.size_bytes == file_size(done)
    assert (done.channels, done.error) == (2, "The recording is silent."), "the simulator's are"
    assert done.peaks
    assert alice.get(RECORDING, roomName=ROOM).json()["recording"]["status"] == "complete"

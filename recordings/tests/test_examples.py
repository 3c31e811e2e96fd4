"""Each example of the API's specification about recordings, sent as it stands there."""

from __future__ import annotations

import re

import pytest

from agents.organizations.models import Organization
from agents.tests.people import ApiClient
from recordings.models import Recording
from sessions.calls.models import Call
from sessions.rooms.serializers.rooms import MOST_LISTED
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.values import EgressStatus

from .calls import RECORDING, becomes

pytestmark = pytest.mark.django_db(transaction=True)

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
LINK = re.compile(r"https://calls-of-tests\.s3\.eu-west-1\.amazonaws\.com/recordings/[^?]+\?.*X-Amz-Signature=.+")


def test_start_recording_a_call(alice: ApiClient, call: Call) -> None:
    answer = alice.post(RECORDING, roomName=ROOM)
    assert answer.status_code == 200
    body = answer.json()
    recording = body.pop("recording")
    assert body == {"success": True, "message": "Recording started successfully"}
    assert list(recording) == ["egressId", "roomName", "startedAt", "status"]
    assert recording["egressId"].startswith("EG_")
    assert TIMESTAMP.fullmatch(recording["startedAt"])
    assert (recording["roomName"], recording["status"]) == (ROOM, "active")


@pytest.mark.parametrize("given", [{"outputPath": "monday"}, {"fileType": "ogg"}, {"fileType": "mp4"}])
def test_start_with_each_of_its_fields(alice: ApiClient, call: Call, given: dict[str, str]) -> None:
    answer = alice.post(RECORDING, roomName=ROOM, **given)
    assert answer.status_code == 200, answer.text
    recording = call.recordings.get()
    assert recording.label == given.get("outputPath", "")
    assert recording.file_type == given.get("fileType", "mp4")


def test_the_status_of_a_recording(alice: ApiClient, call: Call, client: LiveKitClient) -> None:
    started = alice.post(RECORDING, roomName=ROOM).json()["recording"]
    becomes(client, started["egressId"], EgressStatus.ACTIVE)
    answer = alice.http.get(f"{RECORDING}?roomName=support-user123-1640995200")
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["success", "recording", "recordingUrl"]
    assert body["success"] is True
    assert body["recording"] == {**started, "status": "active", "isActive": True}
    assert LINK.fullmatch(body["recordingUrl"])


def test_the_url_of_a_recording(alice: ApiClient, call: Call) -> None:
    started = alice.post(RECORDING, roomName=ROOM).json()["recording"]
    answer = alice.http.get(f"{RECORDING}?roomName=support-user123-1640995200&egressId={started['egressId']}")
    assert answer.status_code == 200
    assert list(answer.json()) == ["success", "recordingUrl"]
    assert answer.json()["success"] is True
    assert LINK.fullmatch(answer.json()["recordingUrl"])


def test_all_active_recordings(mia: ApiClient, alice: ApiClient, call: Call) -> None:
    started = alice.post(RECORDING, roomName=ROOM).json()["recording"]
    answer = mia.http.get(f"{RECORDING}?listAll=true")
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "count": 1,
        "recordings": [{**started, "status": "active", "isActive": True}],
    }
    alice.delete(RECORDING, roomName=ROOM)
    assert mia.get(RECORDING, listAll="true").json() == {"success": True, "count": 0, "recordings": []}


def test_stop_recording_a_call(alice: ApiClient, call: Call, client: LiveKitClient) -> None:
    egress_id = alice.post(RECORDING, roomName=ROOM).json()["recording"]["egressId"]
    becomes(client, egress_id, EgressStatus.ACTIVE)
    answer = alice.http.delete(f"{RECORDING}?roomName=support-user123-1640995200")
    assert answer.status_code == 200
    body = answer.json()
    assert LINK.fullmatch(body.pop("recordingUrl"))
    assert body == {"success": True, "message": "Recording stopped successfully"}


@pytest.mark.parametrize(
    "given",
    [
        {"transcript": "Caller: Hello.\nAgent: Hello!"},
        {"recordingUrl": "https://archive.example.com/calls/1.mp4"},
        {"transcript": "", "recordingUrl": "https://archive.example.com/1"},
    ],
)
def test_update_what_is_said_of_a_recording(alice: ApiClient, call: Call, given: dict[str, str]) -> None:
    alice.post(RECORDING, roomName=ROOM)
    answer = alice.patch(RECORDING, roomName=ROOM, **given)
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "message": "Recording metadata updated successfully"}
    recording = call.recordings.get()
    assert recording.transcript == given.get("transcript", "")
    assert recording.url == given.get("recordingUrl", "")
    if recording.url:
        assert alice.get(RECORDING, roomName=ROOM).json()["recordingUrl"] == recording.url


def test_a_list_of_running_recordings_has_a_bound(mia: ApiClient, harbour: Organization) -> None:
    for number in range(MOST_LISTED + 3):
        call = make_room_call(harbour, room_name=f"room-{number}")
        Recording.objects.create(call=call, external_id=f"EG_{number:03}", state=Recording.State.RECORDING)
    body = mia.get(RECORDING, listAll="true").json()
    assert (body["count"], len(body["recordings"])) == (MOST_LISTED, MOST_LISTED)
    assert body["recordings"][0]["egressId"] == f"EG_{MOST_LISTED + 2:03}"

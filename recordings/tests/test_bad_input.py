"""Invalid requests get the API's 400, 404 or 409, never a 500, and start nothing."""

from __future__ import annotations

from typing import Any

import pytest

from agents.tests.people import ApiClient, refused
from recordings.models import Recording
from sessions.calls.models import Call, CallState
from sessions.tests.builders import ROOM, make_room_call

from .calls import RECORDING

pytestmark = pytest.mark.django_db(transaction=True)

NO_LABELS = [
    "..", ".", "...", "../x", "../../etc/passwd", "a/b", "/etc/passwd", "\\\\host\\share", "a\\b", "..\\..\\x",
    "%2e%2e", "%2e%2e%2fx", "a%00b", "a\x00b", "//x", "https://evil.example.com/x", "s3://other/x", "file:///etc",
    "．．/x", "‥", "‮gpj.x", ".hidden", ".env", "a b", " a", "a ", "a\n", "a\r\nX: y", 'a"b', "a;b", "a\tb", "é",
    "日本", "~", "$HOME", "`id`", "{room_name}", "{time}/x", "C:x", "con|prn", "x" * 65, "x" * 1025, "x" * 100_000, "",
]  # fmt: skip


@pytest.mark.parametrize("label", NO_LABELS, ids=lambda label: ascii(label)[:24])
def test_an_output_path_is_a_name_and_never_a_path(alice: ApiClient, call: Call, label: str) -> None:
    assert alice.post(RECORDING, roomName=ROOM, outputPath=label).status_code == 400
    assert not Recording.objects.exists()


@pytest.mark.parametrize("label", ["a", "Monday-9.30_call", "x" * 64, "a..b", "-", "_", "rec.mp4", "a."])
def test_a_name_is_kept_beside_a_file_that_is_named_by_us(alice: ApiClient, call: Call, label: str) -> None:
    assert alice.post(RECORDING, roomName=ROOM, outputPath=label).status_code == 200
    recording = call.recordings.get()
    assert recording.label == label
    assert label not in recording.key.split("/")
    assert recording.key.startswith(f"recordings/{call.organization_id}/")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"roomName": ""},
        {"roomName": None},
        {"roomName": 5},
        {"roomName": ["a"]},
        {"roomName": {"a": 1}},
        {"roomName": "a b"},
        {"roomName": "x" * 101},
        {"roomName": "../x"},
        {"roomName": ROOM, "fileType": 5},
        {"roomName": ROOM, "fileType": None},
        {"roomName": ROOM, "outputPath": 5},
        {"roomName": ROOM, "outputPath": ["a"]},
        {"roomName": ROOM, "outputPath": None},
        {"roomName": ROOM, "bucket": "mine"},
        {"roomName": ROOM, "key": "mine"},
        {"room_name": ROOM},
        [],
        "text",
        None,
        5,
    ],
    ids=lambda body: ascii(body)[:40],
)
def test_a_start_that_cannot_be_read_is_refused(alice: ApiClient, call: Call, body: Any) -> None:
    assert refused(alice.http.post(RECORDING, json=body))[0] == 400
    assert not Recording.objects.exists()


@pytest.mark.parametrize("file_type", ["mp3", "MP4", "", "ogg ", "mp4\n", "wav", "../x", "x" * 10_000])
def test_a_file_type_is_mp4_or_ogg(alice: ApiClient, call: Call, file_type: str) -> None:
    assert refused(alice.post(RECORDING, roomName=ROOM, fileType=file_type)) == (400, "Invalid file type")
    assert not Recording.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"roomName": ROOM},
        {"transcript": "x"},
        {"roomName": ROOM, "transcript": 5},
        {"roomName": ROOM, "transcript": None},
        {"roomName": ROOM, "transcript": "a\x00b"},
        {"roomName": ROOM, "transcript": "x" * 200_001},
        {"roomName": ROOM, "recordingUrl": ""},
        {"roomName": ROOM, "recordingUrl": None},
        {"roomName": ROOM, "recordingUrl": "http://example.com/x"},
        {"roomName": ROOM, "recordingUrl": "javascript:alert(1)"},
        {"roomName": ROOM, "recordingUrl": "data:text/html,x"},
        {"roomName": ROOM, "recordingUrl": "ftp://example.com/x"},
        {"roomName": ROOM, "recordingUrl": "//example.com/x"},
        {"roomName": ROOM, "recordingUrl": "https://"},
        {"roomName": ROOM, "recordingUrl": "https://a b.example.com"},
        {"roomName": ROOM, "recordingUrl": "https://example.com/\r\nX: y"},
        {"roomName": ROOM, "recordingUrl": "https://example.com/" + "x" * 1000},
        {"roomName": ROOM, "recordingUrl": ["https://example.com"]},
        {"roomName": ROOM, "transcript": "x", "status": "complete"},
        [],
    ],
    ids=lambda body: ascii(body)[:60],
)
def test_an_amendment_that_cannot_be_read_is_refused(alice: ApiClient, call: Call, body: Any) -> None:
    alice.post(RECORDING, roomName=ROOM)
    assert refused(alice.http.patch(RECORDING, json=body))[0] == 400
    assert [(each.transcript, each.url) for each in call.recordings.all()] == [("", "")]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?egressId=EG_1",
        "?listAll=false",
        "?listAll=perhaps",
        f"?listAll=true&roomName={ROOM}",
        "?listAll=true&egressId=EG_1",
        "?roomName=",
        "?roomName=a%20b",
        "?roomName=a%00b",
        f"?roomName={ROOM}&roomName=other",
        f"?roomName={ROOM}&egressId=",
        f"?roomName={ROOM}&egressId={'x' * 65}",
        f"?roomName={ROOM}&egressId=a%00b",
        f"?roomName={ROOM}&limit=5",
    ],
)
def test_a_question_that_cannot_be_read_is_refused(alice: ApiClient, call: Call, query: str) -> None:
    assert refused(alice.http.get(RECORDING + query))[0] == 400


@pytest.mark.parametrize("query", ["", "?egressId=EG_1", "?roomName=", f"?roomName={ROOM}&egressId=EG_1"])
def test_a_stop_that_names_no_room_is_refused(alice: ApiClient, call: Call, query: str) -> None:
    assert refused(alice.http.delete(RECORDING + query))[0] == 400


def test_a_request_without_a_room_name_is_refused(alice: ApiClient, call: Call) -> None:
    assert refused(alice.http.delete(RECORDING)) == (400, "Missing roomName")
    assert refused(alice.http.get(RECORDING)) == (400, "Missing roomName")
    assert refused(alice.get(RECORDING, egressId="EG_1")) == (400, "Missing roomName")
    assert refused(alice.post(RECORDING)) == (400, "Missing roomName")


@pytest.mark.parametrize("state", [state for state in CallState if state != CallState.CONNECTED])
def test_only_a_connected_call_is_recorded(alice: ApiClient, call: Call, state: CallState) -> None:
    Call.objects.filter(pk=call.pk).update(state=state)
    assert refused(alice.post(RECORDING, roomName=ROOM)) == (400, "Call not active")
    assert not Recording.objects.exists()


def test_one_recording_at_a_time(alice: ApiClient, call: Call) -> None:
    assert alice.post(RECORDING, roomName=ROOM).status_code == 200
    assert refused(alice.post(RECORDING, roomName=ROOM)) == (409, "Recording already in progress")
    assert call.recordings.count() == 1


def test_what_is_not_there_is_not_found(alice: ApiClient, call: Call) -> None:
    assert refused(alice.get(RECORDING, roomName=ROOM)) == (404, "Recording not found")
    assert refused(alice.get(RECORDING, roomName=ROOM, egressId="EG_unknown")) == (404, "Recording not found")
    assert refused(alice.patch(RECORDING, roomName=ROOM, transcript="x")) == (404, "Recording not found")
    assert refused(alice.delete(RECORDING, roomName=ROOM)) == (404, "No active recording")
    for send in (alice.post, alice.get, alice.delete):
        assert refused(send(RECORDING, roomName="no")) == (404, "Call session not found")


def test_a_recording_is_found_in_its_own_room_only(alice: ApiClient, call: Call) -> None:
    egress_id = alice.post(RECORDING, roomName=ROOM).json()["recording"]["egressId"]
    make_room_call(call.organization, room_name="another-room")
    assert refused(alice.get(RECORDING, roomName="another-room", egressId=egress_id)) == (404, "Recording not found")
    assert alice.get(RECORDING, roomName=ROOM, egressId=egress_id).status_code == 200


def test_a_recording_is_found_though_a_later_call_took_the_room_s_name(alice: ApiClient, call: Call) -> None:
    egress_id = alice.post(RECORDING, roomName=ROOM).json()["recording"]["egressId"]
    Call.objects.filter(pk=call.pk).update(state=CallState.COMPLETED)
    make_room_call(call.organization)
    assert alice.get(RECORDING, roomName=ROOM, egressId=egress_id).status_code == 200
    assert refused(alice.get(RECORDING, roomName=ROOM)) == (404, "Recording not found")


def test_other_methods_and_media_types_are_refused(alice: ApiClient, call: Call) -> None:
    assert refused(alice.http.put(RECORDING, json={"roomName": ROOM}))[0] == 405
    assert refused(alice.http.post(RECORDING, data={"roomName": ROOM}))[0] == 415
    broken = alice.http.post(RECORDING, content=b'{"roomName":', headers={"Content-Type": "application/json"})
    assert refused(broken)[0] == 400

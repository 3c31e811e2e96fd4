"""Recordings as the client sees them: they start, run, end and leave a file, or fail in one of their ways."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from voiceapp.providers.livekit.client import GoogleStorage, LiveKitClient, S3Storage
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind
from voiceapp.providers.livekit.values import EgressStatus, RoomRecording
from voiceapp.simulators.livekit.silent_audio import mp4, ogg
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET, RunningLiveKit, receiving, running_livekit
from voiceapp.tests.waiting import soon

ROOM = "support-user123-1640995200"


def becomes(client: LiveKitClient, egress_id: str, status: EgressStatus) -> RoomRecording:
    def found() -> RoomRecording | None:
        recording = client.find_recording(egress_id)
        return recording if recording and recording.status is status else None

    return soon(found)


def speak(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    livekit.join(client.join_token(room=ROOM, identity="user-1-x"))


def with_fault(livekit: RunningLiveKit, fault: str) -> LiveKitClient:
    return LiveKitClient(url=livekit.server.fault_url(fault), api_key=API_KEY, api_secret=API_SECRET)


def refused(act: Callable[[], object]) -> LiveKitErrorKind:
    with pytest.raises(LiveKitError) as error:
        act()
    return error.value.kind


@pytest.mark.parametrize("kind", ["mp4", "ogg"])
def test_a_recording_starts_runs_and_leaves_a_file(livekit: RunningLiveKit, client: LiveKitClient, kind: str) -> None:
    speak(livekit, client)
    started = client.start_room_recording(ROOM, filepath="rec/{room_name}", file_type="mp4" if kind == "mp4" else "ogg")
    assert (started.status, started.is_over, started.room) == (EgressStatus.STARTING, False, ROOM)
    assert started.egress_id.startswith("EG_")
    becomes(client, started.egress_id, EgressStatus.ACTIVE)
    room = client.find_room(ROOM)
    assert room
    assert room.is_recorded
    assert [each.egress_id for each in client.list_recordings(ROOM, is_active=True)] == [started.egress_id]
    livekit.advance(30)
    assert client.stop_recording(started.egress_id).status is EgressStatus.ENDING
    ended = becomes(client, started.egress_id, EgressStatus.COMPLETE)
    assert ended.is_over
    assert ended.file
    assert ended.started_at
    assert ended.ended_at
    assert ended.ended_at >= ended.started_at
    assert ended.file.name == f"rec/{ROOM}.{kind}"
    assert 30_000 <= ended.file.duration_ms < 32_000
    content = Path(ended.file.location).read_bytes()
    assert len(content) == ended.file.size_bytes
    assert content[4:12] == b"ftypisom" if kind == "mp4" else content.startswith(b"OggS")
    assert client.list_recordings(ROOM, is_active=True) == ()
    assert client.list_recordings("another") == ()


def test_the_recorder_is_in_the_room_and_is_no_person(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    speak(livekit, client)
    started = client.start_room_recording(ROOM, filepath="a")
    becomes(client, started.egress_id, EgressStatus.ACTIVE)
    assert {(each.kind, each.is_person) for each in client.list_participants(ROOM)} == {
        ("standard", True),
        ("egress", False),
    }


def test_a_recording_waits_for_a_track_but_not_for_ever(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    client.create_room(ROOM)
    waiting = client.start_room_recording(ROOM, filepath="a").egress_id
    livekit.advance(50)
    still = client.find_recording(waiting)
    assert still
    assert still.status is EgressStatus.STARTING
    livekit.advance(20)
    over = client.find_recording(waiting)
    assert over
    assert (over.status, over.error, over.error_code) == (EgressStatus.ABORTED, "Start signal not received", 412)
    second = client.start_room_recording(ROOM, filepath="a").egress_id
    speak(livekit, client)
    becomes(client, second, EgressStatus.ACTIVE)


def test_a_recording_ends_with_its_room(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    speak(livekit, client)
    started = client.start_room_recording(ROOM, filepath="a")
    becomes(client, started.egress_id, EgressStatus.ACTIVE)
    client.delete_room(ROOM)
    assert becomes(client, started.egress_id, EgressStatus.COMPLETE).file


def test_errors_of_starting_and_stopping_have_a_reason(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    assert refused(lambda: client.start_room_recording("no-room", filepath="a")) is LiveKitErrorKind.NOT_FOUND
    assert refused(lambda: client.stop_recording("EG_unknown")) is LiveKitErrorKind.NOT_FOUND
    assert client.find_recording("EG_unknown") is None
    speak(livekit, client)
    started = client.start_room_recording(ROOM, filepath="a")
    becomes(client, started.egress_id, EgressStatus.ACTIVE)
    client.stop_recording(started.egress_id)
    becomes(client, started.egress_id, EgressStatus.COMPLETE)
    assert refused(lambda: client.stop_recording(started.egress_id)) is LiveKitErrorKind.ALREADY_ENDED


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("egress_no_worker", LiveKitErrorKind.UNAVAILABLE),
        ("redis_required", LiveKitErrorKind.NO_RECORDER),
        ("egress_refused", LiveKitErrorKind.REFUSED),
    ],
)
def test_a_recorder_that_is_not_there(livekit: RunningLiveKit, fault: str, kind: LiveKitErrorKind) -> None:
    client = with_fault(livekit, fault)
    speak(livekit, client)
    assert refused(lambda: client.start_room_recording(ROOM, filepath="a")) is kind


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        ("egress_aborts", EgressStatus.ABORTED, "Start signal not received"),
        ("egress_fails", EgressStatus.FAILED, "upload failed: AccessDenied"),
        ("egress_no_file", EgressStatus.COMPLETE, ""),
    ],
)
def test_a_recording_that_leaves_no_file(livekit: RunningLiveKit, fault: str, status: EgressStatus, error: str) -> None:
    client = with_fault(livekit, fault)
    speak(livekit, client)
    started = client.start_room_recording(ROOM, filepath="a")
    if status is not EgressStatus.ABORTED:
        becomes(client, started.egress_id, EgressStatus.ACTIVE)
        client.stop_recording(started.egress_id)
    over = becomes(client, started.egress_id, status)
    assert (over.error, over.file, over.is_over) == (error, None, True)


def test_a_recording_that_is_stopped_before_it_ran_is_aborted(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    client.create_room(ROOM)
    started = client.start_room_recording(ROOM, filepath="a")
    assert client.stop_recording(started.egress_id).status is EgressStatus.ENDING
    assert becomes(client, started.egress_id, EgressStatus.ABORTED).file is None


def test_the_control_api_ends_a_recording(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    speak(livekit, client)
    started = client.start_room_recording(ROOM, filepath="a")
    over = {"status": "EGRESS_LIMIT_REACHED", "error": "limit", "code": 413}
    livekit.control("POST", f"egress/{started.egress_id}", json=over)
    found = client.find_recording(started.egress_id)
    assert found
    assert (found.status, found.is_over, found.error_code) == (EgressStatus.LIMIT_REACHED, True, 413)


def test_a_recording_that_never_starts_and_one_that_never_ends(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    speak(livekit, client)
    never = with_fault(livekit, "egress_never_starts").start_room_recording(ROOM, filepath="a")
    endless = with_fault(livekit, "egress_never_ends").start_room_recording(ROOM, filepath="b")
    becomes(client, endless.egress_id, EgressStatus.ACTIVE)
    client.stop_recording(endless.egress_id)
    livekit.advance(300)
    found = {each.egress_id: each.status for each in client.list_recordings(ROOM)}
    assert found == {never.egress_id: EgressStatus.STARTING, endless.egress_id: EgressStatus.ENDING}


def test_a_bucket_of_this_machine_receives_the_file_and_its_keys_are_not_shown(livekit: RunningLiveKit) -> None:
    client = LiveKitClient(url=livekit.url, api_key=API_KEY, api_secret=API_SECRET)
    with receiving() as bucket:
        endpoint = bucket.url.removesuffix("/api/voice/webhook")
        storage = S3Storage("calls", "eu-west-1", "AKIAKEY", "very-secret", session_token="token", endpoint=endpoint)
        assert "secret" not in repr(storage)
        speak(livekit, client)
        started = client.start_room_recording(ROOM, filepath="rec/1.ogg", file_type="ogg", storage=storage)
        becomes(client, started.egress_id, EgressStatus.ACTIVE)
        client.stop_recording(started.egress_id)
        over = becomes(client, started.egress_id, EgressStatus.COMPLETE)
        assert over.file
        assert over.file.location == f"{endpoint}/calls/rec/1.ogg"
        assert [(path, body[:4]) for path, body in bucket.put] == [("/calls/rec/1.ogg", b"OggS")]
    assert "very-secret" not in str(livekit.control("GET", "state"))


KEY_OF_ACCOUNT = json.dumps({"type": "service_account", "client_email": "a@b.test", "private_key": "very-secret"})


@pytest.mark.parametrize("credentials", ["", KEY_OF_ACCOUNT, "/etc/key.json"])
def test_a_bucket_at_google_needs_a_key_of_a_service_account_which_is_not_shown(
    livekit: RunningLiveKit, client: LiveKitClient, credentials: str
) -> None:
    storage = GoogleStorage("calls", credentials)
    assert "secret" not in repr(storage)
    speak(livekit, client)
    started = client.start_room_recording(ROOM, filepath="rec/1.ogg", file_type="ogg", storage=storage)
    becomes(client, started.egress_id, EgressStatus.ACTIVE)
    client.stop_recording(started.egress_id)
    is_key = not credentials.startswith("/")
    over = becomes(client, started.egress_id, EgressStatus.COMPLETE if is_key else EgressStatus.FAILED)
    if is_key:
        assert over.file
        assert over.file.location == "https://calls.storage.googleapis.com/rec/1.ogg"
    assert "very-secret" not in str(livekit.control("GET", "state"))


@pytest.mark.parametrize("path", ["../../outside", "/../outside", "a/../../outside"])
def test_no_file_is_written_outside_its_folder(tmp_path: Path, path: str) -> None:
    with running_livekit(directory=tmp_path / "inside") as livekit:
        client = LiveKitClient(url=livekit.url, api_key=API_KEY, api_secret=API_SECRET)
        speak(livekit, client)
        started = client.start_room_recording(ROOM, filepath=path)
        becomes(client, started.egress_id, EgressStatus.ACTIVE)
        client.stop_recording(started.egress_id)
        becomes(client, started.egress_id, EgressStatus.FAILED)
    assert not list(tmp_path.glob("outside*"))


def test_an_ogg_file_is_made_of_whole_pages_that_end_where_the_sound_does() -> None:
    content = ogg(2.5)
    position = 0
    granules: list[int] = []
    while position < len(content):
        magic, version, _, granule, _, number, _, segments = struct.unpack_from("<4sBBqIIIB", content, position)
        assert (magic, version, number) == (b"OggS", 0, len(granules))
        position += 27 + segments + sum(content[position + 27 : position + 27 + segments])
        granules.append(granule)
    assert position == len(content)
    assert granules == [0, 0, 48_000, 96_000, 120_000]


def test_an_mp4_file_is_made_of_whole_boxes_and_its_index_points_at_the_sound() -> None:
    content = mp4(1)
    position, boxes = 0, {}
    while position < len(content):
        size, kind = struct.unpack_from(">I4s", content, position)
        boxes[kind] = position
        position += size
    assert position == len(content)
    assert list(boxes) == [b"ftyp", b"mdat", b"moov"]
    offset = struct.unpack_from(">I", content, content.index(b"stco") + 12)[0]
    assert offset == boxes[b"mdat"] + 8
    assert content[offset : offset + 3] == b"\xfc\xff\xfe"

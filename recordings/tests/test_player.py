"""Audio is served in ranges by signed addresses of five minutes, and the audit log has each that was issued."""

from __future__ import annotations

from pathlib import Path

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.tests.builders import make_organization, make_user
from agents.tests.people import ApiClient
from recordings.addresses import LIVES_S, signed_path
from recordings.files import store_file
from recordings.models import Recording, RecordingAccess
from recordings.player import LONGEST_PART_BYTES, sound_response
from recordings.services.access import ONE_LISTENING
from sessions.tests.builders import ROOM, make_room_call

from .calls import RECORDING

pytestmark = pytest.mark.django_db

AUDIO = bytes(range(256)) * 8
KEY = "recordings/harbour/2026/11/1.ogg"


@pytest.fixture(params=["disk", "bucket"])
def recording(request: pytest.FixtureRequest, harbour: Organization, on_disk: Path) -> Recording:
    """On the server's disk, and in a bucket: the same."""
    if request.param == "bucket":
        request.getfixturevalue("in_bucket")
    bucket = store_file(KEY, AUDIO, file_type="ogg")
    return Recording.objects.create(
        call=make_room_call(harbour), external_id="EG_1", state="stored", file_type="ogg", bucket=bucket, key=KEY,
        size_bytes=len(AUDIO), label="Monday",
    )  # fmt: skip


def get(path: str, range_: str = "") -> HttpResponse:
    """Without any credential but the address."""
    return Client().get(path, headers={"Range": range_} if range_ else {})  # type: ignore[return-value]


def listen(client: Client, recording: Recording) -> HttpResponse:
    return client.get(listen_path(recording))  # type: ignore[return-value]


def listen_path(recording: Recording) -> str:
    return reverse("admin:recordings_recording_listen", args=(recording.pk,))


def signed_in(name: str, organization: Organization, role: Role = Role.OWNER) -> Client:
    client = Client()
    client.force_login(make_user(name, organization, role))
    return client


def test_the_file_is_served_whole(recording: Recording) -> None:
    response = get(signed_path(recording))
    assert (response.status_code, response.content) == (200, AUDIO)
    assert response["Content-Type"] == "audio/ogg"
    assert response["Accept-Ranges"] == "bytes"
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Disposition"] == 'inline; filename="Monday.ogg"'
    download = get(signed_path(recording, is_download=True))
    assert download["Content-Disposition"] == 'attachment; filename="Monday.ogg"'


@pytest.mark.parametrize(("wanted", "part"), [("bytes=0-99", range(100)), ("bytes=-8", range(2040, 2048))])
def test_a_part_is_served(recording: Recording, wanted: str, part: range) -> None:
    response = get(signed_path(recording), wanted)
    assert (response.status_code, response.content) == (206, AUDIO[part.start : part.stop])
    assert response["Content-Range"] == f"bytes {part.start}-{part.stop - 1}/2048"


def test_of_a_long_part_the_beginning_is_served(recording: Recording) -> None:
    long = AUDIO * 1024
    store_file(KEY, long, file_type="ogg")
    response = get(signed_path(recording), "bytes=10-")
    assert response["Content-Range"] == f"bytes 10-{LONGEST_PART_BYTES + 9}/{len(long)}"
    assert response.content == long[10 : LONGEST_PART_BYTES + 10]


def test_an_address_is_good_for_five_minutes_and_for_one_recording(recording: Recording) -> None:
    path = signed_path(recording)
    with time_machine.travel(timezone.now()) as clock:
        clock.shift(LIVES_S - 1)
        assert get(path).status_code == 200
        clock.shift(2)
        expired = get(path)
    assert expired.status_code == 403
    assert "expired" in expired.content.decode()
    other = Recording.objects.create(call=recording.call, external_id="EG_2", state="stored", size_bytes=1, key=KEY)
    wrong = path.replace(f"/{recording.pk}/", f"/{other.pk}/")
    for address in (wrong, path[:-1], path.partition("?")[0], f"{path.partition('=')[0]}=", path.replace("=", "=x", 1)):
        assert get(address).status_code == 404
    assert Client().post(path).status_code == 405


def test_a_file_that_is_gone_says_so(recording: Recording, settings: Settings) -> None:
    path = signed_path(recording)
    Recording.objects.update(key="recordings/harbour/2026/11/2.ogg")
    assert get(path).status_code == 404
    Recording.objects.update(state="failed")
    assert get(path).content == b"The recording was deleted."
    recording.delete()
    assert get(path).status_code == 404


def test_listening_is_noted_once_for_all_parts(harbour: Organization, recording: Recording) -> None:
    alice = signed_in("alice", harbour)
    with time_machine.travel(timezone.now()) as clock:
        assert listen(alice, recording).content == AUDIO
        part = alice.get(listen_path(recording), headers={"Range": "bytes=5-9"})
        assert (part.status_code, part.content) == (206, AUDIO[5:10])
        assert alice.head(listen_path(recording)).status_code == 200
        assert RecordingAccess.objects.count() == 1
        clock.shift(ONE_LISTENING)
        listen(alice, recording)
        assert RecordingAccess.objects.count() == 2
    access = RecordingAccess.objects.all()[0]
    assert (access.organization, access.recording, access.principal, access.way) == (
        harbour, recording, "alice", "player",
    )  # fmt: skip
    listen(signed_in("bob", harbour, Role.STAFF), recording)
    assert [each.principal for each in RecordingAccess.objects.order_by("pk")] == ["alice", "alice", "bob"]
    assert alice.post(listen_path(recording)).status_code == 405


def test_who_may_not_listen_gets_no_address(harbour: Organization, recording: Recording) -> None:
    assert listen(signed_in("vera", harbour, Role.VIEWER), recording).status_code == 403
    charlie = signed_in("charlie", make_organization("Meadow"))
    assert listen(charlie, recording).status_code == 404
    assert "/login/" in listen(Client(), recording)["Location"]
    Recording.objects.update(state="failed")
    assert listen(signed_in("alice", harbour), recording).status_code == 404
    assert not RecordingAccess.objects.exists()


def test_a_download_is_noted(harbour: Organization, recording: Recording) -> None:
    press = reverse("admin:recordings_recording_press", args=(recording.pk, "fetch"))
    assert signed_in("alice", harbour).post(press).status_code in (200, 302)
    access = RecordingAccess.objects.get()
    assert (access.principal, access.way) == ("alice", "download")


def test_the_log_is_read_by_the_organization_alone(harbour: Organization, recording: Recording) -> None:
    alice = signed_in("alice", harbour)
    listen(alice, recording)
    listing = reverse("admin:recordings_recordingaccess_changelist")
    page = alice.get(listing).content.decode()
    assert f"No. {recording.pk}" in page
    assert "Player" in page
    assert f"No. {recording.pk}" not in signed_in("charlie", make_organization("Meadow")).get(listing).content.decode()
    number = recording.pk
    recording.delete()
    assert f"No. {number} (deleted)" in alice.get(listing).content.decode()


def test_links_over_the_api_are_noted_by_who_got_them(
    alice: ApiClient, mia: ApiClient, website: ApiClient, recording: Recording
) -> None:
    link = alice.get(RECORDING, roomName=ROOM).json()["recordingUrl"]
    assert link.startswith("http")
    assert mia.get(RECORDING, roomName=ROOM, egressId="EG_1").json()["recordingUrl"]
    assert website.get("/api/voice/session", roomName=ROOM).json()["session"]["recordingUrl"]
    noted = [(each.principal, each.way) for each in RecordingAccess.objects.order_by("id")]
    assert [way for _, way in noted] == ["api"] * 3
    assert noted[2][0].startswith("key_")
    assert len({who for who, _ in noted}) == 3


def test_without_a_file_nothing_is_noted(alice: ApiClient, recording: Recording) -> None:
    Recording.objects.update(state="failed")
    assert alice.get(RECORDING, roomName=ROOM).json()["recordingUrl"] is None
    assert alice.get("/api/voice/session", roomName=ROOM).json()["session"]["recordingUrl"] is None
    assert not RecordingAccess.objects.exists()


@pytest.mark.parametrize(
    ("header", "status", "body", "content_range"),
    [
        ("", 200, b"0123456789", None),
        ("bytes=0-", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=5-2", 416, b"", "bytes */10"),
        ("bytes=-0", 416, b"", "bytes */10"),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("seconds=1-2", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
        ("bytes=a-b", 200, b"0123456789", None),
        ("bytes=" + "9" * 40 + "-", 200, b"0123456789", None),
    ],
)
def test_a_player_gets_the_part_that_it_asks_for(
    header: str, status: int, body: bytes, content_range: str | None
) -> None:
    request = RequestFactory().get("/", headers={"Range": header} if header else {})
    response = sound_response(
        request, 10, lambda part: b"0123456789"[part.start : part.stop], content_type="audio/wav", file_name="a.wav"
    )
    assert (response.status_code, response.content, response.get("Content-Range")) == (status, body, content_range)

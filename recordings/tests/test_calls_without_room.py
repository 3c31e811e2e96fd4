"""A recording of a call by phone is read over the API by the call's id in the place of a room's name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.organizations.services import issue_key
from agents.tests.people import ApiClient, api_client, refused
from recordings.files import store_file
from recordings.models import Recording, RecordingAccess
from sessions.calls.models import Call
from voiceapp.providers.tests.clerk_instance import ClerkInstance

from .calls import RECORDING

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key(clerk: ClerkInstance, harbour: Organization, live_server: LiveServer) -> Iterator[ApiClient]:
    with api_client(live_server.url, issue_key(harbour, name="CRM").text) as client:
        yield client


@pytest.fixture
def recording(harbour: Organization, on_disk: Path) -> Recording:
    call = Call.objects.create(organization=harbour, carrier_sid="CA" + "7" * 32, state="completed")
    bucket = store_file("recordings/a.ogg", b"OggS", file_type="ogg")
    return Recording.objects.create(
        call=call, source=Recording.Source.BRIDGE, external_id="tape1", state="stored", file_type="ogg", bucket=bucket,
        key="recordings/a.ogg", size_bytes=4,
    )  # fmt: skip


def test_it_is_read_linked_and_amended(key: ApiClient, recording: Recording, live_server: LiveServer) -> None:
    call_id = str(recording.call_id)
    answer = key.get(RECORDING, roomName=call_id).json()
    assert (answer["recording"]["egressId"], answer["recording"]["roomName"]) == ("tape1", call_id)
    link = key.get(RECORDING, roomName=call_id, egressId="tape1").json()["recordingUrl"]
    path = httpx.URL(link).raw_path.decode()
    assert httpx.get(live_server.url + path, trust_env=False).content == b"OggS"
    assert RecordingAccess.objects.count() == 2
    assert key.patch(RECORDING, roomName=call_id, transcript="Hello.").status_code == 200
    recording.refresh_from_db()
    assert recording.transcript == "Hello."


def test_it_is_started_and_stopped_as_its_agent_says(key: ApiClient, recording: Recording) -> None:
    Call.objects.update(state="connected")
    Recording.objects.update(state="recording")
    for answer in (
        key.post(RECORDING, roomName=str(recording.call_id)),
        key.delete(RECORDING, roomName=str(recording.call_id)),
    ):
        assert refused(answer) == (404, "Call session not found")
    assert key.get(RECORDING, listAll="true").json()["recordings"][0]["roomName"] == str(recording.call_id)


def test_strangers_do_not_find_it_and_plain_members_may_not(
    charlie: ApiClient, bob: ApiClient, recording: Recording
) -> None:
    for person, expected in ((charlie, (404, "Call session not found")), (bob, (403, "Access denied"))):
        for query in ({}, {"egressId": "tape1"}):
            found = person.get(RECORDING, roomName=str(recording.call_id), **query)
            assert refused(found) == expected
        assert refused(person.patch(RECORDING, roomName=str(recording.call_id), transcript="x")) == expected


def test_a_calls_id_is_no_name_of_a_room(key: ApiClient, harbour: Organization) -> None:
    call = Call.objects.create(organization=harbour, kind="room", room_name="support", state="completed")
    Recording.objects.create(call=call, external_id="EG_1", state="stored")
    assert key.get(RECORDING, roomName="support").status_code == 200
    assert refused(key.get(RECORDING, roomName=str(call.pk))) == (404, "Call session not found")

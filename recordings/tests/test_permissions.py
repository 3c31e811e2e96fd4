"""Who may record, see, amend and stop which call's recordings: Alice owns the call, Bob is a colleague."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from agents.organizations.roles import Role
from agents.organizations.scopes import Scope
from agents.organizations.services import issue_key
from agents.tests.people import ApiClient, api_client, refused, token_of
from recordings.models import Recording
from recordings.queries import running_recordings
from sessions.calls.models import Call, CallType
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.tests.clerk_instance import ClerkInstance
from voiceapp.simulators.livekit.tests.running import RunningLiveKit

from .calls import RECORDING, talk

pytestmark = pytest.mark.django_db(transaction=True)


def every_way(api: ApiClient, egress_id: str) -> dict[str, Any]:
    return {
        "start": api.post(RECORDING, roomName=ROOM),
        "read": api.get(RECORDING, roomName=ROOM),
        "link": api.get(RECORDING, roomName=ROOM, egressId=egress_id),
        "amend": api.patch(RECORDING, roomName=ROOM, transcript="Mine now"),
        "stop": api.delete(RECORDING, roomName=ROOM),
    }


@pytest.fixture
def egress_id(alice: ApiClient, call: Call) -> str:
    started: str = alice.post(RECORDING, roomName=ROOM).json()["recording"]["egressId"]
    return started


def test_a_stranger_gets_call_not_found(charlie: ApiClient, call: Call, egress_id: str) -> None:
    for name, answer in every_way(charlie, egress_id).items():
        assert refused(answer) == (404, "Call session not found"), name
    assert charlie.get(RECORDING, listAll="true").json()["recordings"] == []
    assert [(each.is_running, each.transcript) for each in call.recordings.all()] == [(True, "")]


def test_a_stranger_cannot_tell_another_s_call_from_none(charlie: ApiClient, call: Call, egress_id: str) -> None:
    ours = every_way(charlie, egress_id)
    call.delete()
    none = every_way(charlie, egress_id)
    assert {name: answer.json() for name, answer in ours.items()} == {
        name: answer.json() for name, answer in none.items()
    }


def test_a_colleague_may_not_touch_the_call(bob: ApiClient, call: Call, egress_id: str) -> None:
    for name, answer in every_way(bob, egress_id).items():
        assert refused(answer) == (403, "Access denied"), name
    assert refused(bob.get(RECORDING, listAll="true")) == (403, "Access denied")
    assert [(each.is_running, each.transcript) for each in call.recordings.all()] == [(True, "")]


def test_a_colleague_reads_a_conferences_recording_and_no_more(bob: ApiClient, call: Call, egress_id: str) -> None:
    Call.objects.filter(pk=call.pk).update(call_type=CallType.CONFERENCE)
    answers = every_way(bob, egress_id)
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "start": 403,
        "read": 200,
        "link": 200,
        "amend": 403,
        "stop": 403,
    }


@pytest.mark.parametrize("who", ["alice", "mia", "website"])
def test_owners_managers_and_keys_may_do_everything(
    request: pytest.FixtureRequest, who: str, call: Call, egress_id: str
) -> None:
    answers = every_way(request.getfixturevalue(who), egress_id)
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "start": 409,
        "read": 200,
        "link": 200,
        "amend": 200,
        "stop": 200,
    }


def test_the_callee_may_do_everything(bob: ApiClient, call: Call, egress_id: str) -> None:
    Call.objects.filter(pk=call.pk).update(callee="user_bob", call_type=CallType.USER_TO_USER)
    assert bob.get(RECORDING, roomName=ROOM).status_code == 200
    assert bob.delete(RECORDING, roomName=ROOM).status_code == 200


def test_managers_list_the_recordings_of_their_own_organization(
    mia: ApiClient, charlie: ApiClient, call: Call, egress_id: str, meadow: Organization, client: LiveKitClient,
    livekit: RunningLiveKit,
) -> None:  # fmt: skip
    client.create_room("meadow-room")
    talk(livekit, client, "meadow-room")
    make_room_call(meadow, room_name="meadow-room", owner="user_charlie")
    theirs = charlie.post(RECORDING, roomName="meadow-room").json()["recording"]["egressId"]
    assert [each["egressId"] for each in mia.get(RECORDING, listAll="true").json()["recordings"]] == [egress_id]
    assert [each["egressId"] for each in charlie.get(RECORDING, listAll="true").json()["recordings"]] == [theirs]


def test_a_list_queries_the_database_as_often_for_many_as_for_one(
    call: Call, harbour: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        live = make_room_call(harbour, room_name=f"room-{number}")
        Recording.objects.create(call=live, external_id=f"EG_{number}", state="recording")
    mia = Principal("mia", frozenset({harbour.pk}), organization_id=harbour.pk, roles={harbour.pk: Role.MANAGER})
    with django_assert_num_queries(1):
        assert len({recording.call.room_name for recording in running_recordings(mia)}) == 20


def test_one_without_an_organization_lists_her_own(
    live_server: LiveServer, clerk: ClerkInstance, livekit: RunningLiveKit, client: LiveKitClient, call: Call,
    egress_id: str,
) -> None:  # fmt: skip
    client.create_room("alone")
    talk(livekit, client, "alone")
    make_room_call(None, room_name="alone", owner="user_dora")
    with api_client(live_server.url, token_of(clerk, "user_dora", None)) as dora:
        mine = dora.post(RECORDING, roomName="alone").json()["recording"]["egressId"]
        assert [each["egressId"] for each in dora.get(RECORDING, listAll="true").json()["recordings"]] == [mine]
        assert refused(dora.get(RECORDING, roomName=ROOM)) == (404, "Call session not found")


def test_a_key_needs_the_scope(
    live_server: LiveServer, harbour: Organization, clerk: ClerkInstance, call: Call
) -> None:
    reads = issue_key(harbour, name="reads", scopes=[Scope.RECORDINGS_READ]).text
    writes = issue_key(harbour, name="writes", scopes=[Scope.RECORDINGS_WRITE]).text
    with api_client(live_server.url, reads) as reader, api_client(live_server.url, writes) as writer:
        assert refused(reader.post(RECORDING, roomName=ROOM))[0] == 403
        assert writer.post(RECORDING, roomName=ROOM).status_code == 200
        assert refused(reader.patch(RECORDING, roomName=ROOM, transcript="x"))[0] == 403
        assert refused(reader.delete(RECORDING, roomName=ROOM))[0] == 403
        assert refused(writer.get(RECORDING, roomName=ROOM))[0] == 403
        assert reader.get(RECORDING, roomName=ROOM).status_code == 200
        assert writer.delete(RECORDING, roomName=ROOM).status_code == 200


def test_without_credentials_the_api_answers_401(live_server: LiveServer, clerk: ClerkInstance, call: Call) -> None:
    with api_client(live_server.url, "nobody") as anonymous:
        for method in ("GET", "POST", "PATCH", "DELETE"):
            answer = anonymous.http.request(method, RECORDING)
            assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})


def test_recording_counts_against_its_limit_and_reading_against_another(
    alice: ApiClient, call: Call, settings: Any
) -> None:
    settings.LIMIT_RECORDING, settings.LIMIT_READ = "2/h", "2/h"
    answers = [
        alice.post(RECORDING, roomName=ROOM),
        alice.patch(RECORDING, roomName=ROOM, transcript="x"),
        alice.post(RECORDING, roomName=ROOM),
        alice.get(RECORDING, roomName=ROOM),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 200]
    assert answers[2].json()["error"] == "Too many requests"
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0", "1"]


def test_stopping_a_recording_is_never_limited(alice: ApiClient, call: Call, settings: Any) -> None:
    settings.LIMIT_RECORDING = settings.LIMIT_READ = "1/h"
    assert alice.post(RECORDING, roomName=ROOM).status_code == 200
    assert alice.post(RECORDING, roomName=ROOM).status_code == 429
    stops = [alice.delete(RECORDING, roomName=ROOM) for _ in range(5)]
    assert [each.status_code for each in stops] == [200, 404, 404, 404, 404]
    assert not any("X-RateLimit-Limit" in each.headers for each in stops)


def test_a_recording_that_was_refused_for_its_form_uses_up_none(alice: ApiClient, call: Call, settings: Any) -> None:
    settings.LIMIT_RECORDING = "1/h"
    for _ in range(3):
        assert refused(alice.post(RECORDING, roomName=ROOM, fileType="avi"))[0] == 400
        assert refused(alice.patch(RECORDING, roomName=ROOM))[0] == 400
    assert alice.post(RECORDING, roomName=ROOM).status_code == 200
    assert alice.patch(RECORDING, roomName=ROOM, transcript="x").status_code == 429

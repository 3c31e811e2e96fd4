"""Operators who listen in on a call in a room: they are written down, change no call, and go in time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import jwt
import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.db.models import F
from django.test import Client
from pytest_django import Settings

from agents.organizations.models import Membership, Organization
from agents.tests.builders import make_organization
from recordings.models import Recording
from sessions.calls.listenings import MOST_LISTENERS
from sessions.calls.models import Call, CallListening
from sessions.messages.outbox import outbox
from sessions.rooms.models import RoomToken
from sessions.rooms.services.endings import estimated_end
from sessions.rooms.services.listeners import JOINS_WITHIN
from sessions.rooms.services.tokens import others_hold_tokens
from telephony.livekit import reconciliation as module
from telephony.livekit.reconciliation import reconcile_rooms
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import RunningLiveKit

from .rooms import Room, check_whole_call, grow_old, open_room

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.embedded]


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finders, "find", lambda path: path)


@pytest.fixture
def room(livekit: RunningLiveKit, harbour: Organization) -> Room:
    """With its caller and its agent."""
    room = open_room(livekit, harbour)
    room.agent_comes()
    room.caller_joins()
    room.process_webhooks()
    return room


def client_of(organization: Organization, role: str) -> Client:
    user, _ = User.objects.get_or_create(username=role, is_staff=True)
    Membership.objects.create(organization=organization, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def alice(harbour: Organization) -> Client:
    return client_of(harbour, "owner")


def ask(client: Client, call: Call) -> tuple[int, dict[str, str]]:
    response = client.post(f"/admin/live/{call.pk}/listen-in-room/")
    return response.status_code, response.json()


def listen(client: Client, room: Room) -> str:
    """The identity under which the user's browser is in the room."""
    status, ticket = ask(client, room.call)
    assert status == 200, ticket
    room.livekit.join(ticket["token"], publish=False)
    return ticket["identity"]


def present(room: Room) -> set[str]:
    return {each.identity for each in LiveKitClient.from_settings().list_participants(room.name)}


def what_is_kept(room: Room) -> tuple[Any, ...]:
    """All that a listener must not change."""
    call = room.call
    people = sorted(call.participants.values_list("sid", "identity", "kind", "left_at"))
    lines = [line for line in room.timeline if not line.startswith("listening_")]
    tokens = RoomToken.objects.count()
    return call.state, call.connected_at, people, lines, tokens, room.agent and room.agent.status


def lines_of(room: Room) -> list[tuple[str, dict[str, str]]]:
    return [(each.kind, each.detail) for each in room.call.events.filter(kind__startswith="listening_")]


def test_a_listener_is_written_down_and_changes_nothing(room: Room, alice: Client) -> None:
    before, recordings = what_is_kept(room), Recording.objects.count()
    identity = listen(alice, room)
    room.process_webhooks()
    module.YOUNG_FOR, young = dt.timedelta(), module.YOUNG_FOR
    try:
        reconcile_rooms()  # LiveKit counts one more than we know: it is looked at
    finally:
        module.YOUNG_FOR = young
    reconcile_rooms(is_everything=True)
    assert identity in present(room)
    assert (what_is_kept(room), Recording.objects.count()) == (before, recordings)
    listening = CallListening.objects.get()
    assert (listening.principal, listening.call_number, listening.ended_at) == ("owner", room.call.pk, None)
    assert lines_of(room) == [("listening_began", {"by": "owner"})]
    room.leaves(identity)
    room.process_webhooks()
    listening.refresh_from_db()
    assert listening.ended_at
    assert lines_of(room)[1:] == [("listening_ended", {"by": "owner"})]
    assert what_is_kept(room) == before


def test_the_token_lets_hear_and_nothing_else(room: Room, alice: Client) -> None:
    _, ticket = ask(alice, room.call)
    claims = jwt.decode(ticket["token"], options={"verify_signature": False})
    assert claims["video"] == {
        "roomJoin": True, "room": room.name, "hidden": True, "canSubscribe": True, "canPublish": False,
        "canPublishData": False, "canUpdateOwnMetadata": False,
    }  # fmt: skip
    assert (claims["sub"], claims.get("name", "")) == (ticket["identity"], "")
    assert claims["exp"] - claims["nbf"] <= 60


def test_the_page_stops_its_own_listening_alone(room: Room, alice: Client, harbour: Organization) -> None:
    identity, others = listen(alice, room), listen(client_of(harbour, "manager"), room)
    for each in (identity, others, "", "listener-\x00", "x" * 500):
        assert alice.post(f"/admin/live/{room.call.pk}/leave-room/", {"identity": each}).status_code == 200
    assert list(CallListening.objects.filter(ended_at=None).values_list("principal", flat=True)) == ["manager"]
    # Its token is still good, but it may not come back, and nobody hears of it.
    reconcile_rooms(is_everything=True)
    assert present(room) & {identity, others} == {others}
    assert not room.call.events.filter(kind="participant_removed").exists()


def test_an_empty_room_closes_in_spite_of_a_listener(room: Room, alice: Client) -> None:
    identity = listen(alice, room)
    room.process_webhooks()
    room.leaves(room.caller)
    room.process_webhooks()
    assert identity not in present(room)
    assert CallListening.objects.get().ended_at
    room.livekit.advance(21)
    room.process_webhooks()
    room.call.events.filter(kind__startswith="listening_").delete()
    check_whole_call(room)


def test_without_webhooks_a_look_into_the_room_does_the_same(room: Room, alice: Client) -> None:
    room.process_webhooks()
    room.livekit.do(lambda backend: setattr(backend.webhooks, "urls", []))
    gone, stays = listen(alice, room), listen(alice, room)
    room.leaves(gone)
    CallListening.objects.update(began_at=F("began_at") - JOINS_WITHIN)
    reconcile_rooms(is_everything=True)
    assert [each.room_identity for each in CallListening.objects.filter(ended_at=None)] == [stays]
    room.leaves(room.caller)
    grow_old()
    Call.objects.update(room_checked_at=None)
    room.call.participants.update(joined_at=F("joined_at") - dt.timedelta(minutes=1))
    reconcile_rooms(is_everything=True)
    reconcile_rooms()
    assert stays not in present(room)
    assert not CallListening.objects.filter(ended_at=None).exists()
    left_at = room.call.participants.get(identity=room.caller).left_at
    assert left_at is not None
    assert estimated_end(room.call, now=left_at + dt.timedelta(minutes=5)) > left_at


def test_a_role_that_is_taken_away_ends_it(room: Room, alice: Client, harbour: Organization) -> None:
    client_of(harbour, "manager")
    identity = listen(alice, room)
    reconcile_rooms()
    assert identity in present(room)
    Membership.objects.filter(role="owner").update(role="staff")
    reconcile_rooms()
    assert identity not in present(room)
    assert CallListening.objects.get().ended_at
    status, refused = ask(alice, room.call)
    assert (status, refused["message"]) == (409, "Your role may not listen in. Owners and managers may.")


def test_hanging_up_ends_it(room: Room, alice: Client) -> None:
    listen(alice, room)
    assert alice.post(f"/admin/live/{room.call.pk}/hang-up/").status_code == 302
    assert CallListening.objects.get().ended_at
    outbox.process_due()
    assert present(room) == set()
    assert ask(alice, room.call) == (409, {"message": "The call is over."})


def test_strangers_other_roles_and_too_many_are_refused(
    room: Room, alice: Client, harbour: Organization, settings: Settings
) -> None:
    stranger = client_of(make_organization("Meadow"), "owner")
    Membership.objects.filter(organization=harbour).delete()
    assert stranger.post(f"/admin/live/{room.call.pk}/listen-in-room/").status_code == 404
    assert stranger.post(f"/admin/live/{room.call.pk}/leave-room/").status_code == 404
    assert Client().post(f"/admin/live/{room.call.pk}/listen-in-room/").status_code == 302
    assert ask(client_of(harbour, "staff"), room.call)[0] == 409
    assert not CallListening.objects.exists()
    manager = client_of(harbour, "manager")
    assert manager.get(f"/admin/live/{room.call.pk}/listen-in-room/").status_code == 405
    for _ in range(MOST_LISTENERS):
        assert ask(manager, room.call)[0] == 200
    status, refused = ask(manager, room.call)
    assert (status, refused["message"]) == (
        409,
        "8 people listen in on this call already. Ask one of them to stop.",
    )
    room.leaves(room.caller)
    room.process_webhooks()
    assert ask(manager, room.call) == (409, {"message": "Nobody is in this call's room now."})


def test_no_one_listens_in_a_later_call_of_the_room(room: Room, alice: Client, harbour: Organization) -> None:
    """A token may still be good. Another organization cannot have the name until it is not."""
    listen(alice, room)
    alice.post(f"/admin/live/{room.call.pk}/hang-up/")
    name = room.name
    later = {"kind": "room", "room_name": name, "call_type": "support"}
    theirs = Call.objects.create(organization=make_organization("Meadow"), owner="user_zoe", **later)
    RoomToken.objects.all().delete()
    assert others_hold_tokens(theirs)
    theirs.delete()
    assert not others_hold_tokens(Call.objects.create(organization=harbour, owner="user_alice", **later))


def test_the_page_may_reach_livekit_and_nothing_else(room: Room, alice: Client, settings: Settings) -> None:
    response = alice.get(f"/admin/live/{room.call.pk}/")
    host = settings.LIVEKIT_HOST.removeprefix("http://")
    assert f"; connect-src 'self' ws://{host} http://{host}" in response["Content-Security-Policy"]
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert f'data-listen="/admin/live/{room.call.pk}/listen-in-room/"' in response.content.decode()
    assert '"listen": ""' in response.content.decode()


def test_the_page_says_so_where_livekit_client_is_missing(
    room: Room, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finders, "find", lambda path: None)
    page = alice.get(f"/admin/live/{room.call.pk}/")
    assert "make livekit-client" in page.content.decode()
    assert "data-library" not in page.content.decode()
    assert "make livekit-client" in ask(alice, room.call)[1]["message"]

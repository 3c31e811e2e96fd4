"""What both LiveKits send by webhook when people really join, publish, leave, are removed, and the room closes."""

from __future__ import annotations

from typing import Any

from voiceapp.simulators.livekit.tests.sides import Side, events_of, wait_for_events
from voiceapp.tests.waiting import soon

ALICE, BOB, AGENT = "caller-alice", "callee-bob", "ai-agent-7"
WHOLE_CALL = [
    ("room_started", None),
    ("participant_joined", ALICE),
    ("track_published", ALICE),
    ("participant_joined", AGENT),
    ("track_published", AGENT),
    ("track_unpublished", AGENT),
    ("participant_left", AGENT),
    ("track_unpublished", ALICE),
    ("participant_left", ALICE),
    ("room_finished", None),
]


def summary(events: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(event["event"], event.get("participant", {}).get("identity")) for event in events]


def whole_call(side: Side, room: str) -> list[dict[str, Any]]:
    """Alice and an agent join, the agent is removed, the room is deleted: its webhooks, in the order of arrival."""
    client = side.client
    client.create_room(room)
    side.join(client.join_token(room=room, identity=ALICE, name="Alice"))
    wait_for_events(side, room, 3)
    side.join(client.agent_token(room=room, identity=AGENT))
    wait_for_events(side, room, 5)
    assert client.remove_participant(room, AGENT)
    wait_for_events(side, room, 7)
    client.delete_room(room)
    return wait_for_events(side, room, len(WHOLE_CALL))


def test_a_call_is_reported_from_beginning_to_end(side: Side, room: str) -> None:
    events = whole_call(side, room)
    assert summary(events) == WHOLE_CALL
    assert all(event["id"].startswith("EV_") and int(event["createdAt"]) for event in events)
    # Nothing follows the end.
    assert len(events_of(side, room)) == len(WHOLE_CALL)


def test_each_event_carries_what_the_server_sends_and_no_more(side: Side, room: str) -> None:
    events = whole_call(side, room)
    sid = events[0]["room"]["sid"]
    for event in events:
        is_about_a_track = event["event"].startswith("track_")
        assert event["room"]["sid"] == sid
        assert set(event["room"]) == {"sid", "name"} if is_about_a_track else {"turnPassword"} <= set(event["room"])
        if is_about_a_track:
            assert set(event["participant"]) == {"sid", "identity"}
            assert {"sid", "name", "source", "mimeType"} <= set(event["track"])
        assert "roomEndReason" not in event


def test_participants_leave_with_their_sid_and_reason(side: Side, room: str) -> None:
    events = whole_call(side, room)
    people = [event["participant"] for event in events if event["event"] in ("participant_joined", "participant_left")]
    assert [(each["identity"], each["state"]) for each in people] == [
        (ALICE, "ACTIVE"), (AGENT, "ACTIVE"), (AGENT, "DISCONNECTED"), (ALICE, "DISCONNECTED"),
    ]  # fmt: skip
    joined_alice, joined_agent, left_agent, left_alice = people
    assert (joined_agent.get("kind"), joined_alice.get("kind")) == ("AGENT", None)
    for joined, left in ((joined_alice, left_alice), (joined_agent, left_agent)):
        assert (left["sid"], left["joinedAtMs"]) == (joined["sid"], joined["joinedAtMs"])
        # Their tracks are gone by then.
        assert "tracks" not in left
    assert left_agent["disconnectReason"] == "PARTICIPANT_REMOVED"
    assert left_alice["disconnectReason"] == "ROOM_DELETED"


def test_a_second_join_of_one_identity_puts_the_first_one_out(side: Side, room: str) -> None:
    client = side.client
    client.create_room(room)
    for _ in range(2):
        side.join(client.join_token(room=room, identity=ALICE))
    left = soon(
        lambda: [event["participant"] for event in events_of(side, room) if event["event"] == "participant_left"],
        within_s=10,
    )
    (there,) = client.list_participants(room)
    assert (left[0]["disconnectReason"], there.identity) == ("DUPLICATE_IDENTITY", ALICE)
    assert there.sid != left[0]["sid"]
    client.delete_room(room)


def test_two_people_are_listed_as_active_with_what_they_publish(side: Side, room: str) -> None:
    client = side.client
    client.create_room(room)
    for identity in (ALICE, BOB):
        side.join(client.join_token(room=room, identity=identity))
    soon(lambda: [1 for each in client.list_participants(room) if each.tracks] == [1, 1], within_s=10)
    people = {each.identity: each for each in client.list_participants(room)}
    assert {each.state for each in people.values()} == {"active"}
    assert all(each.is_person and each.joined_at for each in people.values())
    assert [track.source for each in people.values() for track in each.tracks] == ["microphone"] * 2
    side.leave(room, BOB)
    soon(lambda: [each.identity for each in client.list_participants(room)] == [ALICE], within_s=10)
    client.delete_room(room)


def test_a_token_that_is_still_good_opens_its_room_anew_with_a_dispatch_without_a_name(side: Side, room: str) -> None:
    """Unless rooms are made by request alone: test_auto_create.py."""
    client = side.client
    client.create_room(room)
    client.delete_room(room)
    side.join(client.join_token(room=room, identity=ALICE))
    assert [each.agent_name for each in client.list_dispatches(room)] == [""]
    client.delete_room(room)

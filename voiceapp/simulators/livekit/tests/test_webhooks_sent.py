"""The webhooks of the simulator of LiveKit: their order, their attempts, their faults."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from voiceapp.providers.livekit.client import AgentRequest, LiveKitClient
from voiceapp.providers.livekit.values import EgressStatus
from voiceapp.providers.livekit.webhooks import LiveKitEvent, SignatureRefused
from voiceapp.simulators.livekit.backend import LiveKitBackend
from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.tests.running import (
    API_KEY,
    API_SECRET,
    Receiver,
    RunningLiveKit,
    receiving,
    running_livekit,
)
from voiceapp.tests.waiting import soon

ROOM = "support-user123-1640995200"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def livekit(receiver: Receiver) -> Iterator[RunningLiveKit]:
    with running_livekit(webhook_urls=[receiver.url]) as running:
        yield running


def client_at(url: str) -> LiveKitClient:
    return LiveKitClient(url=url, api_key=API_KEY, api_secret=API_SECRET)


def events(livekit: RunningLiveKit, receiver: Receiver) -> list[LiveKitEvent]:
    """As they arrived, each verified by the client."""
    livekit.webhooks()
    client = client_at(livekit.url)
    return [client.verify_webhook(body, authorization) for body, authorization in receiver.received]


def whole_call(livekit: RunningLiveKit, client: LiveKitClient) -> None:
    client.create_room(ROOM, metadata='{"callId": "7"}')
    livekit.join(client.join_token(room=ROOM, identity="user-1-x", name="Alice"))
    livekit.leave(ROOM, "user-1-x")
    client.delete_room(ROOM)


CALL = [
    "room_started",
    "participant_joined",
    "track_published",
    "track_unpublished",
    "participant_left",
    "room_finished",
]


def test_webhooks_report_a_call_from_start_to_end(livekit: RunningLiveKit, receiver: Receiver) -> None:
    whole_call(livekit, client_at(livekit.url))
    sent = events(livekit, receiver)
    assert [event.event for event in sent] == CALL
    assert {event.room_name for event in sent} == {ROOM}
    assert all(event.key.startswith("EV_") for event in sent)
    assert len({event.key for event in sent}) == len(sent)
    assert receiver.types == {"application/webhook+json"}
    joined, left, finished = sent[1], sent[4], sent[5]
    assert joined.participant
    assert left.participant
    assert joined.participant.sid == left.participant.sid
    assert (joined.participant.state, left.participant.state) == ("active", "disconnected")
    assert left.participant.disconnect_reason == "client_initiated"
    assert joined.room
    assert joined.room.metadata == '{"callId": "7"}'
    assert left.room
    assert finished.room_end_reason == ""
    assert joined.created_at
    assert abs((datetime.now(UTC) - joined.created_at).total_seconds()) < 5


def test_webhooks_report_an_agent_and_a_recording(livekit: RunningLiveKit, receiver: Receiver) -> None:
    client = client_at(livekit.url)
    client.create_room(ROOM, agent=AgentRequest("voice-agent"))
    soon(lambda: client.list_participants(ROOM))
    recording = client.start_room_recording(ROOM, filepath="a.ogg", file_type="ogg").egress_id
    soon(lambda: client.list_recordings(ROOM)[0].status is EgressStatus.ACTIVE)
    client.stop_recording(recording)
    soon(lambda: client.list_recordings(ROOM)[0].is_over)
    sent = events(livekit, receiver)
    agents = [event.participant for event in sent if event.participant and event.participant.is_agent]
    assert agents
    lifes = [(event.event, event.recording.status.value) for event in sent if event.recording]
    assert lifes == [
        ("egress_started", "starting"),
        ("egress_updated", "active"),
        ("egress_updated", "ending"),
        ("egress_ended", "complete"),
    ]
    assert sent[-1].recording or sent[-1].room
    ended = next(event.recording for event in sent if event.event == "egress_ended")
    assert ended
    assert ended.file


def test_a_closing_after_a_time_out_has_its_event(livekit: RunningLiveKit, receiver: Receiver) -> None:
    client_at(livekit.url).create_room(ROOM, empty_timeout_s=10)
    livekit.advance(11)
    last = events(livekit, receiver)[-1]
    assert (last.event, last.room_end_reason) == ("room_finished", "")


def test_a_webhook_is_retried_unchanged_until_it_gets_a_response(livekit: RunningLiveKit, receiver: Receiver) -> None:
    receiver.statuses = [500, 503, 429, 200]
    client_at(livekit.url).create_room(ROOM)
    (sent,) = livekit.webhooks()
    assert sent["statuses"] == [500, 503, 429, 200]
    assert len(set(receiver.received)) == 1


def test_a_webhook_is_given_up_after_five_attempts_or_a_rejection(livekit: RunningLiveKit, receiver: Receiver) -> None:
    receiver.statuses = [500] * 5 + [400]
    client = client_at(livekit.url)
    client.create_room(ROOM)
    livekit.webhooks()
    client.delete_room(ROOM)
    assert [sent["statuses"] for sent in livekit.webhooks()] == [[500] * 5, [400]]


def test_later_webhooks_wait_in_order_for_a_response(livekit: RunningLiveKit, receiver: Receiver) -> None:
    receiver.statuses = [500, 500]
    whole_call(livekit, client_at(livekit.url))
    assert [event.event for event in events(livekit, receiver)] == ["room_started", "room_started", *CALL]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("webhook_twice=participant_joined", [*CALL[:2], "participant_joined", *CALL[2:]]),
        ("webhook_lost=participant_left", [*CALL[:4], "room_finished"]),
        ("webhook_lost", []),
        ("webhook_reordered", [CALL[1], CALL[0], CALL[3], CALL[2], CALL[5], CALL[4]]),
        ("webhook_late=0.01", CALL),
    ],
)
def test_faults_of_webhooks(livekit: RunningLiveKit, receiver: Receiver, fault: str, expected: list[str]) -> None:
    whole_call(livekit, client_at(livekit.server.fault_url(fault)))
    assert [event.event for event in events(livekit, receiver)] == expected


def test_a_wrong_signature_is_rejected(livekit: RunningLiveKit, receiver: Receiver) -> None:
    client_at(livekit.server.fault_url("webhook_bad_signature")).create_room(ROOM)
    with pytest.raises(SignatureRefused) as refused:
        events(livekit, receiver)
    assert refused.value.reason == "wrong_key"


def test_a_webhook_without_id_or_time_has_a_stable_key(livekit: RunningLiveKit, receiver: Receiver) -> None:
    client_at(livekit.server.fault_url("webhook_no_id", "webhook_no_time", "webhook_twice")).create_room(ROOM)
    first, second = events(livekit, receiver)
    assert first.key.startswith("sha256:")
    assert (first.key, first.created_at) == (second.key, None)


def test_a_webhook_can_be_repeated_and_invented(livekit: RunningLiveKit, receiver: Receiver) -> None:
    client_at(livekit.url).create_room(ROOM)
    livekit.webhooks()
    livekit.control("POST", "webhooks/0/send-again")
    livekit.control("POST", "webhooks", json={"event": "moon_landed", "room": {"name": "nowhere"}})
    first, again, invented = events(livekit, receiver)
    assert first.key == again.key
    assert (invented.event, invented.room_name) == ("moon_landed", "nowhere")


def test_an_unreachable_receiver_gets_five_attempts() -> None:
    with running_livekit(webhook_urls=["http://127.0.0.1:1/"], webhook_pause_s=0.001) as livekit:
        client_at(livekit.url).create_room(ROOM)
        assert [sent["statuses"] for sent in livekit.webhooks()] == [[0] * 5]


# As livekit-server 1.13.5 has it (webhook/resource_url_notifier.go in livekit/protocol)


def test_an_event_that_waits_too_long_is_dropped(receiver: Receiver) -> None:
    with running_livekit(webhook_urls=[receiver.url], webhook_pause_s=0.1, webhook_max_wait_s=0.5) as livekit:
        receiver.statuses = [500] * 5
        whole_call(livekit, client_at(livekit.url))
        # 0.1 + 0.2 + 0.4 + 0.8 s for the first, and the others are too old by then.
        sent = livekit.webhooks()
        assert [(each["event"], each["statuses"]) for each in sent] == [("room_started", [500] * 5)]
        # The queue goes on with what comes later.
        client_at(livekit.url).create_room(ROOM)
        assert events(livekit, receiver)[-1].event == "room_started"


def test_what_waited_for_less_is_sent_in_order_once_the_receiver_is_back(receiver: Receiver) -> None:
    with running_livekit(webhook_urls=[receiver.url], webhook_pause_s=0.01, webhook_max_wait_s=30) as livekit:
        receiver.statuses = [500] * 5
        whole_call(livekit, client_at(livekit.url))
        sent = livekit.webhooks()
    assert [(each["event"], each["statuses"][-1]) for each in sent] == [
        (CALL[0], 500),
        *((each, 200) for each in CALL[1:]),
    ]


def send_many(backend: LiveKitBackend, count: int) -> None:
    for _ in range(count):
        backend.webhooks.emit("moon_landed", key=ROOM, faults=LiveKitFaults())


def test_an_event_that_finds_two_hundred_waiting_is_dropped(receiver: Receiver) -> None:
    with running_livekit(webhook_urls=[receiver.url], webhook_pause_s=1) as livekit:
        receiver.statuses = [500]
        client = client_at(livekit.url)
        client.create_room(ROOM)
        soon(lambda: receiver.received)
        livekit.do(lambda backend: send_many(backend, 205))
        assert len(livekit.webhooks()) == 1 + 200

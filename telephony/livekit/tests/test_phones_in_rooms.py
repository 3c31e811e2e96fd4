"""A callee who is a phone number: LiveKit's SIP trunk calls them into the room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.tests.people import ApiClient, alice, clerk, harbour, refused
from sessions.calls.models import Call
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.phones import TRUNK
from voiceapp.simulators.livekit.tests.running import RunningLiveKit, name_livekit, running_livekit

from .held_clock import held_clock
from .rooms import Room, open_room, state_of

__all__ = ["alice", "clerk", "harbour"]

pytestmark = pytest.mark.django_db(transaction=True)

SESSION = "/api/voice/session"
NUMBER = "+493012345678"


@pytest.fixture
def livekit(settings: Settings, transactional_db: None) -> Iterator[RunningLiveKit]:
    """One whose webhooks get lost unless a test names their address."""
    with running_livekit() as running:
        name_livekit(settings, running.url)
        settings.LIVEKIT_SIP_TRUNK_ID = TRUNK
        yield running


def call_a_phone(livekit: RunningLiveKit, harbour: Organization) -> Room:
    room = open_room(livekit, harbour, call_type="user-to-user", callee=NUMBER, has_agent=False)
    room.caller_joins()
    return room


# The request


def test_the_phone_is_called_into_the_room(alice: ApiClient, livekit: RunningLiveKit) -> None:
    got = alice.post(SESSION, callType="user-to-user", calleeId="+49 30 12345678", enableRecording=False)
    assert got.status_code == 200, got.text
    room = got.json()["session"]["roomName"]
    (dialed,) = livekit.do(lambda backend: list(backend.phones.dialed))
    assert (dialed.sip_call_to, dialed.sip_trunk_id, dialed.room_name) == (NUMBER, TRUNK, room)
    assert (dialed.ringing_timeout.seconds, dialed.wait_until_answered, dialed.hide_phone_number) == (30, False, True)
    assert NUMBER not in dialed.participant_identity
    assert Call.objects.get().callee == NUMBER


@pytest.mark.parametrize("host", ["", "with a trunk that LiveKit does not know", "without a SIP service"])
def test_without_a_trunk_it_is_503_with_the_reason(
    alice: ApiClient, livekit: RunningLiveKit, settings: Settings, host: str
) -> None:
    settings.LIVEKIT_SIP_TRUNK_ID = "ST_unknown" if host else ""
    if host.startswith("without"):
        settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url("redis_required")
    got = alice.post(SESSION, callType="user-to-user", calleeId=NUMBER)
    assert refused(got) == (503, "Phone calls not configured")
    assert "LIVEKIT_SIP_TRUNK_ID" in got.json()["message"]
    assert [call.end_reason for call in Call.objects.all()] == (["phone_not_reached"] if host else [])


@pytest.mark.parametrize(
    "callee",
    [
        "+49 900 1234567",  # premium
        "+881 612345678",  # satellite
        "+12",
        "+49 30 SHOP",
        "+1 212 555 0123",  # abroad
    ],
)
def test_numbers_that_are_never_called_are_400(
    alice: ApiClient, harbour: Organization, livekit: RunningLiveKit, callee: str
) -> None:
    Organization.objects.update(country="DE")
    got = alice.post(SESSION, callType="user-to-user", calleeId=callee)
    assert got.status_code == 400, got.text
    assert "calleeId" in got.json()["details"]["fields"]
    assert not Call.objects.exists()


# The call


def test_a_call_is_connected_when_the_phone_is_answered_not_when_it_rings(
    livekit: RunningLiveKit, harbour: Organization
) -> None:
    livekit.do(lambda backend: setattr(backend.phones, "answers_after_s", 12))
    with held_clock(livekit) as clock:
        room = call_a_phone(livekit, harbour)
        clock.passes(11)
        assert room.call.state == "ringing"
        clock.until(lambda: room.call.state == "connected", at_most_s=6)
        connected_at = room.call.connected_at
        assert connected_at
        assert (connected_at - room.call.created_at).total_seconds() >= 10


def test_when_the_phone_hangs_up_the_call_is_over(livekit: RunningLiveKit, harbour: Organization) -> None:
    with held_clock(livekit) as clock:
        room = call_a_phone(livekit, harbour)
        clock.until(lambda: room.call.state == "connected", at_most_s=10)
        clock.passes(15)
        client = LiveKitClient.from_settings()
        (phone,) = [each.identity for each in client.list_participants(room.name) if each.kind == "sip"]
        room.leaves(phone)
        clock.until(lambda: room.call.state == "completed", at_most_s=10)
        clock.passes(5)
        assert client.find_room(room.name) is None


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        ("phone_rings", ("missed", "not_answered")),
        ("phone_busy", ("missed", "not_answered")),
        ("trunk_fails", ("failed", "phone_not_reached")),
    ],
)
@pytest.mark.parametrize("has_webhooks", [True, False])
def test_a_phone_that_is_not_answered_ends_the_call_with_the_reason(
    request: pytest.FixtureRequest,
    livekit: RunningLiveKit,
    harbour: Organization,
    settings: Settings,
    fault: str,
    end: tuple[str, str],
    has_webhooks: bool,
) -> None:
    settings.LIVEKIT_INTERNAL_URL = livekit.server.fault_url(fault)
    if has_webhooks:
        hook = request.getfixturevalue("live_server").url + "/api/voice/webhook"
        livekit.control("PUT", "webhooks", json={"urls": [hook]})
        room = call_a_phone(livekit, harbour)
        livekit.advance(31)
        room.process_webhooks()
        assert state_of(room.call) == end
        return
    with held_clock(livekit) as clock:
        room = call_a_phone(livekit, harbour)
        clock.until(lambda: room.call.state == "missed", at_most_s=70)
    assert room.call.end_reason == "not_answered"

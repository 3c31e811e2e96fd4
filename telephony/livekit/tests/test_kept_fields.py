"""Of LiveKit's events the allowed fields are kept, and of those that were kept before no more than of new ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from telephony.events.models import ProviderEvent
from telephony.livekit.kept_fields import ALLOWED, kept_fields
from voiceapp.providers.livekit.webhooks import event_of

from .webhook_sender import WebhookSender

REAL: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data/livekit_1_13_5_events.json").read_text())
ROOM = {"sid": "RM_1", "name": "harbour", "creationTime": "1640995200", "creationTimeMs": "1640995200123"}
FILE = {"filename": "a.ogg", "location": "s3://b/a.ogg", "size": "5", "duration": "9"}
EGRESS = {
    "egressId": "EG_1", "roomId": "RM_1", "roomName": "harbour", "status": "EGRESS_COMPLETE", "endedAt": "5",
    "error": "why", "errorCode": 412, "fileResults": [FILE], "roomComposite": {"fileOutputs": [{"filepath": "a.ogg"}]},
}  # fmt: skip
PERSON = {"sid": "PA_1", "identity": "caller-1", "name": "Alice", "kind": "SIP", "state": "ACTIVE", "joinedAt": "5"}
TRACK = {"sid": "TR_1", "source": "MICROPHONE", "name": "mic", "type": "VIDEO", "muted": True}
ABOUT: dict[str, Any] = {"room": ROOM, "participant": PERSON, "track": TRACK, "egressInfo": EGRESS}


def whole(event: str) -> dict[str, Any]:
    """One with everything that may be kept of any event."""
    return {"event": event, "id": "EV_1", "createdAt": "1640995200", **ABOUT}


def with_secrets(value: Any) -> Any:
    """The same, with more in every object at every depth."""
    if isinstance(value, dict):
        return {name: with_secrets(each) for name, each in value.items()} | {"turnPassword": "a-secret", "later": [{}]}
    return [with_secrets(each) for each in value] if isinstance(value, list) else value


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("event", REAL, ids=lambda event: event["event"])
def test_of_a_real_servers_events_neither_the_rooms_password_nor_permissions_are_stored(
    sender: WebhookSender, event: dict[str, Any]
) -> None:
    about = {name: value for name, value in event.items() if name not in ("event", "createdAt")}
    assert sender.send_event(event["event"], **about).status_code == 200
    kept = ProviderEvent.objects.get().fields
    assert not [word for word in ("turn", "odecs", "permission", "attributes", "capabilities") if word in str(kept)]
    assert (kept["room"]["sid"], kept["room"]["name"]) == (event["room"]["sid"], event["room"]["name"])
    # What is processed is the same as in the event as it came.
    seen, sent = event_of(kept, key=""), event_of(event, key="")
    assert (seen.event, seen.room) == (sent.event, sent.room)
    if sent.participant:
        assert seen.participant
        assert (seen.participant.sid, seen.participant.kind, seen.participant.joined_at) == (
            sent.participant.sid, sent.participant.kind, sent.participant.joined_at,
        )  # fmt: skip


@pytest.mark.parametrize("event", [*ALLOWED, "moon_landed", "", "agent_job_started"])
def test_what_livekit_adds_at_any_depth_of_any_event_is_not_stored(event: str) -> None:
    kept = kept_fields(with_secrets(whole(event)))
    assert "turnPassword" not in json.dumps(kept)
    assert "later" not in json.dumps(kept)
    assert kept == kept_fields(whole(event)) == kept_fields(kept)


@pytest.mark.parametrize(
    ("event", "about"),
    [
        ("room_finished", {"room": ROOM}),
        ("participant_left", {"room": ROOM, "participant": PERSON}),
        ("participant_connection_aborted", {"room": ROOM, "participant": PERSON}),
        ("track_published", {"room": ROOM, "participant": PERSON, "track": TRACK}),
        (
            "egress_ended",
            {"room": ROOM, "participant": {"sid": "PA_1", "identity": "caller-1"}, "egressInfo": EGRESS},
        ),
        ("moon_landed", {"room": {"sid": "RM_1", "name": "harbour"}}),
    ],
)
def test_of_each_event_what_it_is_about_is_stored(event: str, about: dict[str, Any]) -> None:
    assert kept_fields(whole(event)) == {"event": event, "id": "EV_1", "createdAt": "1640995200", **about}


@pytest.mark.parametrize("wrong", ["x", 5, None, ["x"], [["x"]], {"sid": {"turnPassword": "a-secret"}}])
def test_a_field_of_another_form_than_the_documented_is_not_stored(wrong: Any) -> None:
    kept = kept_fields({"event": "egress_ended", "room": wrong, "egressInfo": {"fileResults": wrong, "error": [wrong]}})
    assert "secret" not in json.dumps(kept)
    assert kept["egressInfo"] in ({}, {"fileResults": []}, {"fileResults": {}})

"""Every event that the API's specification lists is taken in the shape that it shows."""

from __future__ import annotations

import pytest

from telephony.events.models import ProviderEvent

from .webhook_sender import WebhookSender

EVENTS = (
    "room_started", "room_finished", "participant_joined", "participant_left",
    "track_published", "track_unpublished", "egress_started", "egress_ended",
)  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("event", EVENTS)
def test_each_listed_event_is_received(sender: WebhookSender, event: str) -> None:
    response = sender.send_event(
        event,
        id=f"EV_{event}",
        room={"name": "support-user123-1640995200", "creationTime": 1640995200},
        participant={"identity": "user123", "name": "John Doe"},
    )
    assert (response.status_code, response.json()) == (200, {"received": True, "event": event})
    assert ProviderEvent.objects.count() == 1

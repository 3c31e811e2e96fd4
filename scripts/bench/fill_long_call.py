"""Gives the demo organization a call of an hour with its recording; prints a session and the address of its page.

Usage, in the environment of the product: python scripts/bench/fill_long_call.py ORG
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from uuid import UUID

import django
from django.utils import timezone

HOUR_MS, LINES = 3_600_000, 2_000


def fill(org_id: str) -> dict[str, str]:
    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    from agents.organizations.models import Membership

    user = User.objects.create_user("bench-listener", is_staff=True)
    Membership.objects.create(user=user, organization_id=org_id, role="staff")
    browser = Client(HTTP_HOST="127.0.0.1")
    browser.force_login(user)
    return {"session": browser.cookies["sessionid"].value, "path": write_call(org_id)}


def write_call(org_id: str) -> str:
    """A recording with its waveform, 2,000 lines of transcript, 1,000 turns."""
    from django.urls import reverse

    from recordings.models import Recording
    from sessions.calls.models import Call, CallKind, CallState, TranscriptLine, Turn

    ended_at = timezone.now()
    call = Call.objects.create(
        organization_id=UUID(org_id),
        kind=CallKind.PHONE,
        state=CallState.COMPLETED,
        connected_at=ended_at - timedelta(hours=1),
        ended_at=ended_at,
    )
    TranscriptLine.objects.bulk_create(
        TranscriptLine(
            call=call,
            item_id=f"item_{number}",
            speaker="agent" if number % 2 else "caller",
            text=f"This is what was said in line {number} of a long call.",
            spoken_at_ms=number * HOUR_MS // LINES,
            turn=number // 2,
        )
        for number in range(LINES)
    )
    Turn.objects.bulk_create(Turn(call=call, number=number, response_ms=900) for number in range(LINES // 2))
    Recording.objects.create(
        call=call,
        source=Recording.Source.BRIDGE,
        external_id="bench-long-call",
        state=Recording.State.STORED,
        file_type=Recording.FileType.OGG,
        key="recordings/bench.ogg",
        size_bytes=21_600_000,
        duration_ms=HOUR_MS,
        channels=2,
        peaks=bytes(number % 200 for number in range(2000)),
    )
    return reverse("admin:voice_sessions_call_change", args=(call.pk,))


if __name__ == "__main__":
    print(json.dumps(fill(sys.argv[1])))

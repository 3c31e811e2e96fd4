"""Where a call can be heard: its page in the admin, once its recording is stored."""

from __future__ import annotations

import datetime as dt
import time

from django.db.models import Exists, OuterRef
from django.urls import reverse

from recordings.models import Recording
from sessions.calls.models import Call
from sessions.calls.recording_links import WITH_RECORDING

POLL_S = 0.2


def page_of(call: Call, base_url: str) -> str:
    return f"{base_url}{reverse('admin:voice_sessions_call_change', args=(call.pk,))}"


def where_to_hear(call: Call, base_url: str, *, within_s: float) -> str:
    """A sentence, empty for a call that is not recorded. Waits so long for the recording to be stored."""
    deadline = time.monotonic() + within_s
    while (recording := call.recordings.first()) is not None:
        page = page_of(call, base_url)
        if recording.has_file:
            return f"Hear the call: {page}"
        if recording.state not in Recording.IN_PROGRESS:
            return f"The call was not recorded ({recording.error or recording.get_state_display()}): {page}"
        if time.monotonic() > deadline:
            return f"The recording is not stored yet. Hear the call later: {page}"
        time.sleep(POLL_S)
    return ""


def newest_recorded_call(*, since: dt.datetime) -> Call | None:
    """One that can be played. The simulated bucket forgets what earlier runs have stored."""
    recorded = Call.objects.filter(WITH_RECORDING, pk=OuterRef("pk"))
    return Call.objects.filter(Exists(recorded), created_at__gte=since).order_by("-created_at").first()

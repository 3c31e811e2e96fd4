"""A web process that starts has all rooms reconciled at once: its events were lost before."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.calls.models import Call
from voiceapp.simulators.livekit.tests.running import name_livekit, running_livekit
from voiceapp.tests.servers import free_port
from voiceapp.tests.web import web_process
from voiceapp.tests.worker import folder_broker, until, worker_process

from .rooms import open_room

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.waits]


def livekit_settings(settings: Settings) -> dict[str, str]:
    names = ("LIVEKIT_HOST", "LIVEKIT_INTERNAL_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    return {name: getattr(settings, name) for name in names}


def test_every_room_is_reconciled_when_a_web_process_starts(
    settings: Settings, harbour: Organization, tmp_path: Path
) -> None:
    """By a worker without beat: nothing else reconciles."""
    with running_livekit() as livekit:
        name_livekit(settings, livekit.url)
        room = open_room(livekit, harbour)
        room.agent_comes()
        room.caller_joins()
        environment = livekit_settings(settings) | {"CELERY_BROKER_URL": folder_broker(tmp_path)}
        with worker_process(tmp_path, environment, has_beat=False):
            assert room.call.state == "ringing"
            with web_process(tmp_path, free_port(), environment):
                until(lambda: room.call.state == "connected")
        call = Call.objects.get()
        assert call.room_checked_at
        assert call.room_checked_at <= timezone.now()

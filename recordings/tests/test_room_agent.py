"""The agent of a room records where its organization chose it: from its beginning, or at request."""

from __future__ import annotations

import datetime as dt
import wave
from pathlib import Path

import av
import numpy as np
import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from agents.configuration.models import Agent, AgentVersion
from agents.configuration.services import publish_agent
from agents.organizations.models import Organization
from agents.tests.people import ApiClient, refused
from recordings.finishing.services import FINISH
from recordings.models import Recording
from recordings.services.automatic import enqueue_automatic_recording
from recordings.services.reconciling import reconcile_recordings
from recordings.services.room_agent import agent_began, agent_ended, recording_of_agent
from recordings.sources.room_agent import delete, fetch, folder_of
from sessions.calls.models import Call, CallState
from sessions.messages.models import OutboxMessage
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agents import agent_expected
from sessions.rooms.services.room_state import TOPIC, room_state
from sessions.tests.builders import ROOM, make_room_call
from voiceapp.providers.errors import ProviderError

from .calls import RECORDING, only_recording

pytestmark = pytest.mark.django_db(transaction=True)

RATE = 48_000


@pytest.fixture(autouse=True)
def own_folder(settings: Settings, tmp_path: Path) -> None:
    """No bucket, and no LiveKit that could record."""
    settings.RECORDINGS_DIR = str(tmp_path / "recordings")
    settings.LIVEKIT_RECORDING_BUCKET = ""


@pytest.fixture
def call(harbour: Organization) -> Call:
    """Connected, wanted to be recorded, an agent in its room, which records."""
    call = make_room_call(harbour)
    agent = Agent.objects.create(organization=harbour, name="Host", room_recording="agent")
    version = publish_agent(agent, by="alice")
    Call.objects.filter(pk=call.pk).update(is_recording_wanted=True, agent=agent, agent_version=version)
    call.refresh_from_db()
    agent_expected(call, system_prompt="", voice="")
    return call


def write(recording: Recording, *, at_ms: int, seconds: float, hz: int = 440) -> Path:
    """As the agent does: a tone on both channels, in Opus."""
    path = folder_of(str(recording.external_id)) / f"{at_ms:09}.ogg"
    path.parent.mkdir(parents=True, exist_ok=True)
    tone = (8000 * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)).astype(np.int16)
    with av.open(str(path), "w", format="ogg") as file:
        stream = file.add_stream("libopus", rate=RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.repeat(tone, 2).reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = RATE
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def later(minutes: float = 2) -> time_machine.travel:
    return time_machine.travel(timezone.now() + dt.timedelta(minutes=minutes), tick=True)


def over(call: Call) -> None:
    RoomAgent.objects.update(status="disconnected")
    Call.objects.filter(pk=call.pk).update(state=CallState.COMPLETED, ended_at=timezone.now())


def test_the_agent_records_from_its_beginning_until_its_file_is_whole(call: Call) -> None:
    assert enqueue_automatic_recording(call) is None, "LiveKit does not record it as well"
    external_id = recording_of_agent(call.pk)
    assert external_id == recording_of_agent(call.pk) == room_state(call)["recording"]
    assert OutboxMessage.objects.filter(topic=TOPIC).count() == 1, "clients see it in the room's metadata"
    for _ in range(2):
        agent_began(external_id, starts_at_ms=1200)
    recording = only_recording()
    assert (recording.source, recording.state, recording.starts_at_ms) == ("room_agent", "recording", 1200)
    assert call.events.filter(kind="recording_started").count() == 1
    for _ in range(2):
        agent_ended(external_id)
    assert (only_recording().state, only_recording().step) == ("storing", "fetch")
    assert OutboxMessage.objects.filter(topic=FINISH).count() == 1
    assert recording_of_agent(call.pk) == "", "once"
    assert "recording" not in room_state(call)


@pytest.mark.parametrize("chosen", ["off", "egress"])
def test_an_agent_that_is_not_chosen_records_nothing(call: Call, chosen: str) -> None:
    AgentVersion.objects.update(room_recording=chosen)
    assert recording_of_agent(call.pk) == ""
    assert not Recording.objects.exists()


def test_a_call_whose_recording_was_not_requested_is_not_recorded(call: Call) -> None:
    Call.objects.update(is_recording_wanted=False)
    assert recording_of_agent(call.pk) == ""


def test_a_recording_is_started_and_stopped_over_the_api(alice: ApiClient, call: Call) -> None:
    Call.objects.update(is_recording_wanted=False)
    started = alice.post(RECORDING, roomName=ROOM)
    assert started.status_code == 200, started.text
    egress_id = started.json()["recording"]["egressId"]
    assert (egress_id, started.json()["recording"]["status"]) == (room_state(call)["recording"], "active")
    assert refused(alice.post(RECORDING, roomName=ROOM)) == (409, "Recording already in progress")
    agent_began(egress_id, starts_at_ms=5000)
    assert alice.get(RECORDING, roomName=ROOM).json()["recording"]["isActive"] is True
    assert alice.delete(RECORDING, roomName=ROOM).status_code == 200
    assert "recording" not in room_state(call)
    assert refused(alice.delete(RECORDING, roomName=ROOM)) == (404, "No active recording")
    agent_ended(egress_id)
    assert only_recording().step == "fetch"


def test_without_an_agent_in_the_room_there_is_no_recorder(alice: ApiClient, call: Call) -> None:
    RoomAgent.objects.update(status="disconnected")
    refusal = alice.post(RECORDING, roomName=ROOM)
    assert refused(refusal) == (503, "Recording service not configured")
    assert "agent" in refusal.json()["message"]
    assert not Recording.objects.exists()


def test_an_agent_that_was_lost_leaves_what_it_has_written(call: Call) -> None:
    agent_began(recording_of_agent(call.pk), starts_at_ms=0)
    write(only_recording(), at_ms=0, seconds=1)
    with later():
        reconcile_recordings()
        assert only_recording().step == "", "another agent may take its place"
    over(call)
    with later():
        reconcile_recordings()
    assert (only_recording().state, only_recording().step) == ("storing", "fetch")


def test_another_agent_goes_on_with_it_while_the_call_does(call: Call) -> None:
    external_id = recording_of_agent(call.pk)
    agent_began(external_id, starts_at_ms=0)
    agent_ended(external_id, is_over=False)
    assert (recording_of_agent(call.pk), only_recording().step) == (external_id, "")
    over(call)
    agent_ended(external_id, is_over=False)
    assert (only_recording().state, only_recording().step) == ("storing", "fetch")


def test_an_agent_that_wrote_nothing_has_recorded_nothing(call: Call) -> None:
    recording_of_agent(call.pk)
    over(call)
    with later():
        reconcile_recordings()
    recording = only_recording()
    assert (recording.state, recording.error) == ("failed", "Room agent does not know this recording any more.")
    with pytest.raises(ProviderError) as error:
        fetch(recording, Path("/dev/null"))
    assert error.value.permanent


def test_the_files_of_two_agents_become_one_with_silence_between(call: Call, tmp_path: Path) -> None:
    recording_of_agent(call.pk)
    recording = only_recording()
    write(recording, at_ms=1000, seconds=1)
    # It was killed: its last page is cut off.
    second = write(recording, at_ms=4000, seconds=1)
    second.write_bytes(second.read_bytes()[:-40])
    fetch(recording, tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, RATE)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    loud = [bool(np.abs(samples[int(at * RATE) : int((at + 0.2) * RATE)]).max() > 4000) for at in (0.3, 1.5, 2.5, 3.3)]
    assert loud == [True, False, False, True]
    delete(recording)
    delete(recording)
    assert not folder_of(str(recording.external_id)).exists()


def test_a_file_that_is_none_is_permanently_not_fetched(call: Call, tmp_path: Path) -> None:
    recording_of_agent(call.pk)
    recording = only_recording()
    for at_ms in (0, 1000):
        write(recording, at_ms=at_ms, seconds=0.1).write_bytes(b"no sound")
    with pytest.raises(ProviderError) as error:
        fetch(recording, tmp_path / "call.wav")
    assert error.value.permanent

"""VAPI records a call only if its agent says so; its file is fetched when VAPI reports it, from public addresses."""

from __future__ import annotations

import asyncio
import datetime as dt
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import time_machine
from django.db import connections
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.configuration.models import AgentVersion
from recordings.errors import NotRecording
from recordings.finishing.services import FINISH
from recordings.models import Recording
from recordings.services.reconciling import reconcile_recordings
from recordings.services.stopping import stop_recording
from recordings.sources.registry import forget_copy
from recordings.sources.vapi import fetch
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.calls.services import finish_call
from sessions.messages.models import OutboxMessage
from sessions.tools.briefing import brief
from telephony.events.inbox import inbox
from telephony.live.vapi_provider import overrides_for
from telephony.vapi.assistants import transient_assistant
from telephony.vapi.legs import open_leg
from telephony.vapi.models import VapiLeg
from voiceapp.providers.errors import ProviderError
from voiceapp.simulators.vapi import VapiSimulator
from voiceapp.simulators.vapi.tests.caller import KEY, calling
from voiceapp.simulators.vapi.tests.running import running_vapi
from voiceapp.tests.waiting import soon

from .sender import VapiSender, report

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.waits]


@pytest.fixture
def simulator(account: Settings, live_server: LiveServer) -> Iterator[VapiSimulator]:
    with running_vapi(keys=[KEY]) as running:
        account.VAPI_API_KEY, account.VAPI_BASE_URL = KEY, running.base_url
        account.PUBLIC_BASE_URL = live_server.url
        account.SIMULATORS = ("vapi",)
        yield running


@pytest.fixture
def recorded(call: Call) -> Call:
    AgentVersion.objects.update(recording="vapi")
    call.refresh_from_db()
    return call


def note(call: Call, vapi_id: str) -> None:
    """From a thread of its own, whose connection is closed."""
    try:
        open_leg(call.pk, vapi_id)
    finally:
        connections.close_all()


def converse(simulator: VapiSimulator, call: Call, *faults: str) -> str:
    """The agent greets, the caller speaks, and both have been heard when the call ends. Returns VAPI's id."""
    assistant = {**transient_assistant(brief(call), call), "firstMessage": "Hello, how can I help you?"}

    async def run() -> str:
        async with calling(simulator, *faults, assistant=assistant) as caller:
            await asyncio.to_thread(note, call, caller.call["id"])
            await caller.until("speech-update", status="stopped", role="assistant")
            await caller.speak("A pizza please.")
            await caller.until("transcript", role="user")
            await caller.send({"type": "end-call"})
            await caller.closed()
            return str(caller.call["id"])

    vapi_id = asyncio.run(run())
    finish_call(call.pk, reason=EndReason.CALLER_HUNG_UP)
    return vapi_id


def is_reported(vapi_id: str) -> None:
    def has_report() -> bool:
        inbox.process_due(["vapi"])
        return VapiLeg.objects.filter(vapi_id=vapi_id).exclude(reported_at=None).exists()

    soon(has_report)


def only_recording() -> Recording:
    return Recording.objects.select_related("call__organization").get()


def finishing() -> int:
    return OutboxMessage.objects.filter(topic=FINISH).count()


def later(minutes: float = 2) -> time_machine.travel:
    return time_machine.travel(timezone.now() + dt.timedelta(minutes=minutes), tick=True)


def sides(path: Path) -> list[np.ndarray]:
    """The samples of each channel."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        return list(samples.T)


def test_both_sides_are_fetched_in_two_channels(simulator: VapiSimulator, recorded: Call, tmp_path: Path) -> None:
    vapi_id = converse(simulator, recorded)
    is_reported(vapi_id)
    recording = only_recording()
    assert (recording.source, recording.external_id, recording.is_automatic) == ("vapi", vapi_id, True)
    assert (recording.state, recording.step, finishing()) == ("storing", "fetch", 1)
    fetch(recording, tmp_path / "call.wav")
    caller, agent = sides(tmp_path / "call.wav")
    assert np.abs(caller).max() > 1000 < np.abs(agent).max()
    # The agent spoke first, alone.
    assert np.flatnonzero(np.abs(agent) > 1000)[0] < np.flatnonzero(np.abs(caller) > 1000)[0]


@pytest.mark.parametrize("chosen", ["off", "bridge", "twilio"])
def test_vapi_records_nothing_that_another_source_or_none_records(
    simulator: VapiSimulator, call: Call, chosen: str
) -> None:
    AgentVersion.objects.update(recording=chosen)
    call.refresh_from_db()
    assert overrides_for(brief(call))["artifactPlan"] == {"recordingEnabled": False}
    vapi_id = converse(simulator, call)
    is_reported(vapi_id)
    assert simulator.calls[vapi_id].audio is None
    assert not Recording.objects.exists()


def test_a_lost_report_is_made_good_by_a_request(simulator: VapiSimulator, recorded: Call) -> None:
    converse(simulator, recorded, "webhooks_lost")
    assert only_recording().state == "recording"
    with later():
        assert reconcile_recordings() == 1
        assert reconcile_recordings() == 0
    assert (only_recording().state, finishing()) == ("storing", 1)


def test_a_call_without_a_recording_is_failed_after_an_hour(simulator: VapiSimulator, recorded: Call) -> None:
    is_reported(converse(simulator, recorded, "no_recording"))
    with later():
        reconcile_recordings()
        assert (only_recording().state, finishing()) == ("storing", 0)
    with later(62):
        reconcile_recordings()
    recording = only_recording()
    assert recording.state == "failed"
    assert recording.error == "VAPI did not report within an hour that the file is stored."


def test_a_call_that_was_deleted_at_vapi_is_failed(simulator: VapiSimulator, recorded: Call) -> None:
    vapi_id = converse(simulator, recorded, "webhooks_lost")
    simulator.calls.pop(vapi_id)
    with later():
        reconcile_recordings()
    assert (only_recording().state, only_recording().error) == ("failed", "VAPI does not know this recording any more.")


@pytest.mark.parametrize(
    ("fault", "is_permanent"),
    [("recording_redirect", True), ("recording_late=60000", False), ("no_recording", False)],
)
def test_what_is_not_fetched(
    simulator: VapiSimulator, recorded: Call, tmp_path: Path, fault: str, is_permanent: bool
) -> None:
    converse(simulator, recorded, fault)
    with pytest.raises(ProviderError) as error:
        fetch(only_recording(), tmp_path / "call.wav")
    assert error.value.permanent is is_permanent
    assert "http" not in str(error.value)


def test_a_redirect_is_followed_and_one_channel_is_better_than_none(
    simulator: VapiSimulator, recorded: Call, tmp_path: Path
) -> None:
    converse(simulator, recorded, "recording_moved", "recording_mono")
    fetch(only_recording(), tmp_path / "call.wav")
    (both,) = sides(tmp_path / "call.wav")
    assert np.abs(both).max() > 1000


def test_a_local_address_is_refused_where_nothing_is_simulated(
    simulator: VapiSimulator, recorded: Call, account: Settings, tmp_path: Path
) -> None:
    converse(simulator, recorded)
    account.SIMULATORS, account.DEBUG = (), False
    with pytest.raises(ProviderError) as error:
        fetch(only_recording(), tmp_path / "call.wav")
    assert error.value.permanent


@pytest.mark.parametrize("is_wanted", [True, False])
def test_the_call_at_vapi_is_deleted_only_if_so_configured(
    simulator: VapiSimulator, recorded: Call, is_wanted: bool
) -> None:
    vapi_id = converse(simulator, recorded)
    recording = only_recording()
    organization = recording.call.organization
    assert organization is not None
    organization.deletes_recordings_at_provider = is_wanted
    for _ in range(2):
        forget_copy(recording)
    assert (vapi_id in simulator.calls) is not is_wanted


def test_it_cannot_be_stopped(simulator: VapiSimulator, recorded: Call) -> None:
    open_leg(recorded.pk, "a-call-of-vapis")
    with pytest.raises(NotRecording, match="VAPI records this call to its end"):
        stop_recording(recorded)


def test_the_second_part_of_a_call_is_kept_when_the_first_one_is_stored(recorded: Call, vapi: VapiSender) -> None:
    """VAPI's link was lost, and another call at VAPI went on with the conversation."""
    open_leg(recorded.pk, "the-second-part")
    assert Recording.objects.count() == 1
    second = VapiSender(vapi.url.removesuffix("/vapi/webhook"), recorded, call_id="the-second-part")
    second.send("end-of-call-report", **report("b: Hello."))
    assert inbox.process_due(["vapi"]) == 0
    Recording.objects.update(state="stored")
    with later(1):
        assert inbox.process_due(["vapi"]) == 1
    assert set(Recording.objects.values_list("external_id", "state")) == {
        (vapi.call_id, "stored"), ("the-second-part", "storing"),
    }  # fmt: skip
    second.close()

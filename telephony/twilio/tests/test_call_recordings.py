"""A phone call is recorded by Twilio from its connection on, in two channels, whatever is lost or refused meanwhile."""

from __future__ import annotations

import datetime as dt
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from agents.configuration.models import Agent
from agents.configuration.services import publish_agent
from recordings.finishing.services import FINISH
from recordings.models import Recording
from recordings.services.automatic import START, enqueue_phone_recording
from recordings.services.declining import DECLINE
from recordings.services.reconciling import reconcile_recordings
from recordings.services.stopping import stop_recording
from recordings.sources.registry import forget_copy
from recordings.sources.twilio import fetch
from sessions.calls.declined_recordings import DeclinedBy, decline_recording
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.calls.services import finish_call
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from telephony.events.inbox import inbox
from telephony.events.models import ProviderEvent
from telephony.twilio.models import MediaStream, PhoneNumber
from telephony.twilio.services.admission import open_call
from telephony.twilio.services.streams import redeem_token
from telephony.twilio.tokens import token_for
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.twilio.recordings import TwilioRecordings
from voiceapp.simulators.twilio import SimulatedCall
from voiceapp.simulators.twilio.faults import TwilioFaults
from voiceapp.simulators.twilio.plan import CallPlan
from voiceapp.simulators.twilio.tests.running import RunningTwilio, running_twilio
from voiceapp.tests.dying import Point, in_a_process_that_dies
from voiceapp.tests.waiting import soon

from .conftest import ACCOUNT_SID, CALLER, NUMBER, TOKEN, Twilio, a_ring

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/twilio/recording-status"
SPEAKS = f"<Response>{'<Say>Welcome to our restaurant.</Say>' * 20}</Response>"


@pytest.fixture(scope="module")
def twilio_process() -> Iterator[RunningTwilio]:
    with running_twilio(account_sid=ACCOUNT_SID, auth_token=TOKEN) as running:
        yield running


@pytest.fixture(autouse=True)
def carrier(
    twilio_process: RunningTwilio, settings: Settings, own_account: None, monkeypatch: pytest.MonkeyPatch
) -> RunningTwilio:
    """No worker runs. Twilio's callbacks are posted by the tests: its own are lost."""
    settings.TWILIO_BASE_URL = twilio_process.url
    for queue in (outbox, inbox):
        monkeypatch.setattr(queue, "wake_up", lambda topic: None)
    return twilio_process


class Talk:
    """One call at Twilio and with us."""

    def __init__(self, carrier: RunningTwilio, *faults: str, recording: str = "twilio") -> None:
        self._carrier = carrier
        plan = CallPlan(
            CALLER, NUMBER, direction="outbound-api", twiml=SPEAKS, noise=False,
            faults=TwilioFaults.parse(["recording_unreported", *faults]),
        )  # fmt: skip
        self.at_carrier: SimulatedCall = carrier.do(lambda server: server.carrier.place_outbound_call(plan))
        soon(lambda: self.at_carrier.status.value == "in-progress")
        agent = Agent.objects.get()
        Agent.objects.update(recording=recording)
        agent.refresh_from_db()
        publish_agent(agent, by="alice")
        self.call = open_call(a_ring(call_sid=self.at_carrier.sid))

    def connect(self) -> None:
        stream = MediaStream.objects.get(call=self.call)
        redeem_token(
            token_for(stream.id), call_sid=self.at_carrier.sid, account_sid=ACCOUNT_SID, stream_sid="MZ1", hints={}
        )
        self.call.refresh_from_db()

    def starts(self) -> Recording:
        self.connect()
        assert outbox.process_due([START]) == 1
        return only_recording()

    def is_heard(self) -> None:
        soon(lambda: self.at_carrier.recordings[-1].has_audio)

    def ends(self, *, after_speech: bool = True) -> None:
        if after_speech:
            self.is_heard()
        self._carrier.do(lambda _: self.at_carrier.hang_up(by="caller"))
        soon(lambda: self.at_carrier.is_done)
        assert finish_call(self.call.pk, reason=EndReason.CALLER_HUNG_UP)

    def report(self, twilio: Twilio, status: str, **more: str) -> int:
        sid = str(only_recording().external_id)
        fields = {"RecordingSid": sid, "RecordingStatus": status, "RecordingSource": "StartCallRecordingAPI"}
        return twilio.post(PATH, CallSid=self.at_carrier.sid, **(fields | more)).status_code


def only_recording() -> Recording:
    return Recording.objects.select_related("call__organization").get()


def finishing() -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(topic=FINISH))


def later(minutes: float = 2) -> time_machine.travel:
    return time_machine.travel(timezone.now() + dt.timedelta(minutes=minutes), tick=True)


@pytest.fixture
def talk(line: PhoneNumber, carrier: RunningTwilio) -> Talk:
    return Talk(carrier)


def test_it_is_recorded_from_its_connection_and_fetched_in_two_channels(
    talk: Talk, twilio: Twilio, tmp_path: Path
) -> None:
    recording = talk.starts()
    assert (recording.source, recording.state, recording.is_automatic) == ("twilio", "recording", True)
    assert 0 <= recording.starts_at_ms < 10_000
    assert [event.kind for event in talk.call.events.filter(kind__startswith="recording")] == ["recording_started"]
    talk.ends()
    for _ in range(2):
        assert talk.report(twilio, "completed", RecordingDuration="2") == 204
    inbox.process_due(["twilio"])
    assert ProviderEvent.objects.filter(kind="recording.completed", call=talk.call, state="done").count() == 1
    recording = only_recording()
    assert (recording.state, recording.step, len(finishing())) == ("storing", "fetch", 1)
    file = tmp_path / "call.wav"
    soon(lambda: _is_fetched(recording, file))
    with wave.open(str(file)) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, 8000)
        assert sound.getnframes() >= 1600


def _is_fetched(recording: Recording, file: Path) -> bool:
    """Twilio needs a second or two until it has the file."""
    try:
        fetch(recording, file)
    except ProviderError as error:
        if error.permanent:
            raise
        return False
    return True


def test_a_report_that_is_late_does_not_lead_back(talk: Talk, twilio: Twilio) -> None:
    talk.starts()
    talk.ends()
    for status in ("completed", "in-progress", "completed"):
        talk.report(twilio, status)
        inbox.process_due(["twilio"])
    assert (only_recording().state, len(finishing())) == ("storing", 1)
    assert OutboxMessage.objects.filter(topic="recording.stop").count() == 0


def test_a_lost_report_is_made_good_by_a_request(talk: Talk) -> None:
    talk.starts()
    with later():
        reconcile_recordings()
        assert only_recording().state == "recording", "of a call that goes on nothing is requested"
    talk.ends()
    soon(lambda: talk.at_carrier.account.recordings[str(only_recording().external_id)].status == "completed")
    with later():
        assert reconcile_recordings() == 1
        assert reconcile_recordings() == 0
    assert (only_recording().state, len(finishing())) == ("storing", 1)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("16101", "Twilio reports that the recording is absent: it is too short."),
        ("16102", "Twilio reports that the recording is absent: nobody said anything."),
        ("16999", "Twilio reports that the recording is absent: error 16999."),
        ("", "Twilio reports that the recording is absent."),
        ("x" * 400, "Twilio reports that the recording is absent."),
    ],
)
def test_an_absent_recording_is_shown_with_its_reason(talk: Talk, twilio: Twilio, code: str, why: str) -> None:
    talk.starts()
    assert talk.report(twilio, "absent", ErrorCode=code) == 204
    inbox.process_due(["twilio"])
    recording = only_recording()
    assert (recording.state, recording.error, recording.has_file, finishing()) == ("failed", why, False, [])


def test_an_absent_recording_whose_report_was_lost_is_found(line: PhoneNumber, carrier: RunningTwilio) -> None:
    talk = Talk(carrier, "recording_absent=16101")
    talk.starts()
    talk.ends(after_speech=False)
    with later():
        reconcile_recordings()
    assert only_recording().error == "Twilio reports that the recording is absent: it is too short."


def test_one_that_twilio_has_deleted_is_failed(talk: Talk, carrier: RunningTwilio) -> None:
    sid = str(talk.starts().external_id)
    talk.ends()
    TwilioRecordings.from_settings().delete(sid)
    with later():
        reconcile_recordings()
    assert (only_recording().state, only_recording().error) == (
        "failed",
        "Twilio does not know this recording any more.",
    )


def test_a_call_that_is_over_before_it_begins_is_not_recorded(talk: Talk) -> None:
    talk.connect()
    talk.ends(after_speech=False)
    assert outbox.process_due([START]) == 1
    assert (only_recording().state, only_recording().error) == ("failed", "The call was over before it began.")


def test_a_call_that_only_twilio_knows_to_be_over_is_not_recorded(
    talk: Talk, carrier: RunningTwilio, settings: Settings
) -> None:
    settings.TWILIO_BASE_URL = carrier.fault_url("recording_refused=21220")
    assert talk.starts().error == "The call was over before it began."


def test_what_twilio_refuses_is_shown_with_its_reason(talk: Talk, carrier: RunningTwilio, settings: Settings) -> None:
    settings.TWILIO_BASE_URL = carrier.fault_url("recording_refused=20001")
    talk.connect()
    assert outbox.process_due([START]) == 0
    recording = only_recording()
    assert recording.state == "failed"
    assert "20001" in recording.error


def test_a_start_without_a_response_is_not_repeated(talk: Talk) -> None:
    talk.connect()
    started = TwilioRecordings.from_settings().start(talk.at_carrier.sid, status_callback="https://example.com/x")
    OutboxMessage.objects.filter(topic=START).update(attempts=1)
    assert outbox.process_due([START]) == 1
    assert (only_recording().external_id, len(talk.at_carrier.recordings)) == (started.sid, 1)


def test_a_report_that_is_faster_than_the_response_names_the_recording(talk: Talk, twilio: Twilio) -> None:
    talk.connect()
    sid = "RE" + "7" * 32
    fields = {"RecordingSid": sid, "RecordingStatus": "in-progress", "RecordingSource": "StartCallRecordingAPI"}
    assert twilio.post(PATH, CallSid=talk.at_carrier.sid, **fields).status_code == 204
    inbox.process_due(["twilio"])
    assert (only_recording().external_id, only_recording().state) == (sid, "recording")


def test_twilio_away_at_the_start_is_tried_again(talk: Talk, carrier: RunningTwilio, settings: Settings) -> None:
    settings.TWILIO_BASE_URL = carrier.fault_url("rest_500")
    talk.connect()
    assert outbox.process_due([START]) == 0
    settings.TWILIO_BASE_URL = carrier.url
    with later(1):
        assert outbox.process_due([START]) == 1
    assert only_recording().state == "recording"


def test_it_is_stopped_at_twilio(talk: Talk) -> None:
    talk.starts()
    talk.is_heard()
    assert stop_recording(talk.call).state == "storing"
    sid = str(only_recording().external_id)
    soon(lambda: talk.at_carrier.account.recordings[sid].status == "completed")
    with later():
        reconcile_recordings()
    assert len(finishing()) == 1


def test_what_the_caller_declined_is_stopped_and_deleted_at_twilio(talk: Talk) -> None:
    sid = str(talk.starts().external_id)
    talk.is_heard()
    decline_recording(talk.call.pk, by=DeclinedBy.TOOL)

    def is_deleted() -> bool:
        OutboxMessage.objects.filter(topic=DECLINE).update(due_at=timezone.now())
        outbox.process_due([DECLINE])
        return TwilioRecordings.from_settings().find(sid) is None

    soon(is_deleted)
    assert talk.at_carrier.status.value == "in-progress"
    assert (only_recording().state, only_recording().step, finishing()) == ("canceled", "", [])


@pytest.mark.parametrize("chosen", ["off", "bridge", "vapi"])
def test_another_choice_is_not_recorded_by_twilio(line: PhoneNumber, carrier: RunningTwilio, chosen: str) -> None:
    talk = Talk(carrier, recording=chosen)
    talk.connect()
    assert not Recording.objects.exists()
    assert not OutboxMessage.objects.filter(topic=START).exists()


def test_a_call_is_recorded_by_one_source_once(talk: Talk) -> None:
    talk.connect()
    assert enqueue_phone_recording(talk.call) is None
    assert Recording.objects.count() == 1


@pytest.mark.parametrize("is_wanted", [True, False])
def test_the_copy_at_twilio_is_deleted_only_if_so_configured(talk: Talk, is_wanted: bool) -> None:
    sid = str(talk.starts().external_id)
    talk.ends()
    recording = only_recording()
    organization = recording.call.organization
    assert organization is not None
    organization.deletes_recordings_at_provider = is_wanted
    for _ in range(2):
        forget_copy(recording)
    assert (TwilioRecordings.from_settings().find(sid) is None) is is_wanted


def test_a_recording_that_is_gone_or_silent_is_permanently_not_fetched(
    talk: Talk, twilio: Twilio, carrier: RunningTwilio, settings: Settings, tmp_path: Path
) -> None:
    recording = talk.starts()
    settings.TWILIO_BASE_URL = carrier.fault_url("media_gone")
    with pytest.raises(ProviderError) as error:
        fetch(recording, tmp_path / "call.wav")
    assert error.value.permanent
    assert "deleted" in str(error.value)


KILLS: list[Point] = [
    ("recordings.services.automatic", "request_start", "before"),
    ("recordings.services.automatic", "request_start", "after"),
    ("recordings.services.starting", "set_external_id", "before"),
    ("recordings.services.starting", "set_external_id", "after"),
    ("recordings.services.starting", "apply_report", "before"),
    ("recordings.services.automatic", "accept_start", "after"),
]


@pytest.mark.parametrize("point", KILLS, ids=str)
def test_a_worker_that_is_killed_at_the_start_leaves_one_recording(talk: Talk, point: Point) -> None:
    talk.connect()
    assert in_a_process_that_dies(lambda: outbox.process_due([START]), point)
    with later(1):
        assert outbox.process_due([START]) == 1
    assert len(talk.at_carrier.recordings) == 1
    recording = only_recording()
    assert recording.external_id == talk.at_carrier.recordings[0].sid
    talk.ends()
    soon(lambda: talk.at_carrier.account.recordings[str(recording.external_id)].status == "completed")
    with later():
        reconcile_recordings()
    assert len(finishing()) == 1


REPORT_KILLS: list[Point] = [
    ("telephony.twilio.recordings", "apply_report", "before"),
    ("recordings.services.reports", "enqueue_finishing", "before"),
    ("recordings.services.reports", "enqueue_finishing", "after"),
    ("telephony.twilio.recordings", "apply_report", "after"),
]


@pytest.mark.parametrize("point", REPORT_KILLS, ids=str)
def test_a_worker_that_is_killed_at_a_report_leaves_one_file_to_fetch(talk: Talk, twilio: Twilio, point: Point) -> None:
    talk.starts()
    talk.ends()
    talk.report(twilio, "completed")
    assert in_a_process_that_dies(lambda: inbox.process_due(["twilio"]), point)
    with later(1):
        assert inbox.process_due(["twilio"]) == 1
    assert (only_recording().step, len(finishing())) == ("fetch", 1)


# What Twilio, or somebody else, posts


def test_a_report_of_an_unknown_call_is_not_found(twilio: Twilio, line: PhoneNumber) -> None:
    fields = {"RecordingSid": "RE" + "1" * 32, "RecordingStatus": "completed"}
    assert (
        twilio.post(PATH, CallSid="CA" + "9" * 32, RecordingSource="StartCallRecordingAPI", **fields).status_code == 404
    )
    assert not ProviderEvent.objects.filter(kind__startswith="recording.").exists()


def test_a_report_of_a_recording_that_is_not_ours_changes_nothing(talk: Talk, twilio: Twilio) -> None:
    talk.starts()
    sid = "RE" + "5" * 32
    assert talk.report(twilio, "completed", RecordingSid=sid) == 204
    inbox.process_due(["twilio"])
    assert (only_recording().state, finishing()) == ("recording", [])
    assert ProviderEvent.objects.get(partition_key=sid).state == "done"


@pytest.mark.parametrize(
    "fields",
    [
        {"RecordingSid": ""},
        {"RecordingSid": "RE" + "z" * 32},
        {"RecordingSid": "x" * 5000},
        {"RecordingSid": "RE\x00" + "1" * 31},
        {"RecordingStatus": "finished"},
        {"RecordingStatus": ""},
        {"RecordingStatus": "completed\x00" * 200},
    ],
    ids=lambda fields: ascii(fields)[:40],
)
def test_a_report_that_cannot_be_read_changes_nothing(talk: Talk, twilio: Twilio, fields: dict[str, str]) -> None:
    talk.starts()
    assert talk.report(twilio, "completed", **fields) == 204
    inbox.process_due(["twilio"])
    assert only_recording().state == "recording"


def test_an_unsigned_report_is_refused(talk: Talk, twilio: Twilio) -> None:
    talk.starts()
    assert talk.report(Twilio(token="another"), "completed") == 403
    assert not Call.objects.filter(provider_events__kind__startswith="recording").exists()

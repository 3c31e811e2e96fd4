"""Alice listens to a message in her browser, jumps within it, and finds the numbers that do not point here."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from recordings.files import store_file
from recordings.models import Recording
from sessions.calls.models import Call
from telephony.twilio.models import NumberCheck, PhoneNumber
from telephony.twilio.voicemail.models import Voicemail
from voiceapp.simulators import mulaw, speech
from voiceapp.simulators.twilio.recording import mono_wav

from .conftest import CHROMIUM, Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]

KEY = "recordings/bella-napoli/2026/11/1.wav"
LISTEN = """async () => {
    const audio = document.querySelector("audio");
    audio.muted = true;
    await audio.play();
    audio.currentTime = 2;
    await new Promise(done => audio.addEventListener("seeked", done, {once: true}));
    return [Math.round(audio.duration), audio.error];
}"""


@pytest.fixture
def voicemail(call: Call, settings: Settings, tmp_path: Path) -> Voicemail:
    settings.RECORDINGS_DIR, settings.LIVEKIT_RECORDING_BUCKET = str(tmp_path), ""
    audio = mono_wav(mulaw.encode(speech.say("Hello. Please call me back about my order.") + bytes(16_000)))
    store_file(KEY, audio, file_type="wav")
    recording = Recording.objects.create(
        call=call, source="twilio", external_id="RE1", state="stored", file_type="wav", key=KEY, size_bytes=len(audio)
    )
    return Voicemail.objects.create(
        call=call, recording_sid="RE1", why="closed", state="stored", recording=recording, duration_s=4,
        transcript="Hello. Please call me back about my order.",
    )  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/admin/telephony/voicemail/{voicemail}/change/", "/admin/voice_sessions/call/{call}/change/"]
)
def test_alice_listens_to_a_message_and_jumps_within_it(desk: Desk, voicemail: Voicemail, path: str) -> None:
    assert "A caller left a message" in desk.open("/admin/").content()
    page = desk.open(path.format(voicemail=voicemail.pk, call=voicemail.call_id))
    assert desk.faults_of_access() == []
    duration_s, error = page.evaluate(LISTEN)
    assert (duration_s in (3, 4, 5), error) == (True, None)
    voicemail.refresh_from_db()
    assert voicemail.heard_by == "alice"
    assert "A caller left a message" not in desk.open("/admin/").content()
    assert desk.complaints == []


def test_alice_sees_where_the_numbers_point(desk: Desk, voicemail: Voicemail) -> None:
    PhoneNumber.objects.update(carrier_state="differs", carrier_difference="voice URL: none, not https://x.example.com")
    NumberCheck.objects.create(checked_at=voicemail.created_at)
    page = desk.open("/admin/telephony/phonenumber/")
    panel = page.get_by_role("region", name="Check at Twilio")
    box = panel.bounding_box()
    assert box is not None
    assert box["height"] < 200
    assert panel.get_by_role("button", name="Check now").is_visible()
    assert "Points elsewhere" in page.content()
    assert desk.faults_of_access() == []
    assert desk.complaints == []

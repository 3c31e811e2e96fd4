"""TwiML is executed: Redirect, Say, Play, Pause, Gather, Record, Dial, Hangup, Reject, and failures."""

from __future__ import annotations

from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from voiceapp.simulators import mulaw, speech
from voiceapp.simulators.twilio import Answers, Number, SimulatedCall, TwilioSimulator
from voiceapp.simulators.twilio.recording import KeptRecording, mono_wav, pcm_of_wav
from voiceapp.simulators.twilio.report import report_of
from voiceapp.simulators.twilio.tests.fake_application import AUTH_TOKEN, FakeApplication, ReceivedRequest

pytestmark = pytest.mark.asyncio

ALICE, LINE, BOB = "+15550001111", "+15550002222", "+15550003333"


async def ring(server: TwilioSimulator, application: FakeApplication, twiml: str, **options: Any) -> SimulatedCall:
    application.twiml["/voice"] = f"<Response>{twiml}</Response>"
    server.carrier.numbers.setdefault(LINE, Number(voice_url=application.voice_url))
    return await server.carrier.place_call(from_number=ALICE, to_number=LINE, **options)


async def test_every_webhook_has_twilios_form_and_signature(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    call = await ring(server, application, '<Redirect method="GET">/next?a=b%20c</Redirect>')
    await call.done()
    first, second = application.requests
    validator = RequestValidator(AUTH_TOKEN)
    assert validator.validate(first.url, first.params, first.headers["x-twilio-signature"])
    assert validator.validate(second.url, {}, second.headers["x-twilio-signature"])
    assert second.url.startswith(f"{application.base_url}/next?a=b%20c&CallSid=CA")
    assert first.url == application.voice_url
    assert first.headers["content-type"] == "application/x-www-form-urlencoded"
    assert first.headers["i-twilio-idempotency-token"] != second.headers["i-twilio-idempotency-token"]
    expected = {
        "CallSid": call.sid,
        "AccountSid": server.carrier.account.sid,
        "From": ALICE,
        "To": LINE,
        "Caller": ALICE,
        "Called": LINE,
        "CallStatus": "ringing",
        "ApiVersion": "2010-04-01",
        "Direction": "inbound",
    }
    assert first.params.items() >= expected.items()


async def test_say_is_spoken_and_pause_is_silence(server: TwilioSimulator, application: FakeApplication) -> None:
    call = await ring(server, application, '<Say>Welcome.</Say><Pause length="1"/><Say>Goodbye.</Say>')
    report = await call.done()
    welcome, goodbye = report.agent_speech
    assert goodbye.began_ms - welcome.ended_ms >= 1000
    assert (report.ended_by, report.status) == ("application", "completed")


async def test_play_fetches_wav_and_ulaw(server: TwilioSimulator, application: FakeApplication) -> None:
    audio = mulaw.encode(speech.say("A recorded greeting."))
    application.files["/greeting.wav"] = (mono_wav(audio), "audio/wav")
    application.files["/greeting.ulaw"] = (audio, "audio/basic")
    call = await ring(server, application, "<Play>/greeting.wav</Play><Play>/greeting.ulaw</Play>")
    await call.done()
    heard = bytes(call.line.heard)
    again = mulaw.encode(pcm_of_wav(mono_wav(audio)))
    assert again in heard
    assert audio in heard[heard.index(again) + len(again) :]


async def test_a_wav_of_another_rate_is_resampled_to_8_khz() -> None:
    import io
    import wave

    import numpy as np

    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(24_000)
        tone = (8000 * np.sin(2 * np.pi * 400 * np.arange(24_000) / 24_000)).astype("<i2")
        out.writeframes(np.column_stack((tone, tone * 0)).astype("<i2").tobytes())
    samples = np.frombuffer(pcm_of_wav(file.getvalue()), "<i2")
    assert len(samples) == 8000
    assert np.argmax(np.abs(np.fft.rfft(samples))) == 400


async def test_gather_sends_the_keys_pressed_to_its_action(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/menu"] = "<Response><Hangup/></Response>"
    call = await ring(
        server,
        application,
        '<Gather action="/menu" numDigits="2"><Say>Press two keys, please, whichever you like best.</Say></Gather>',
        steps=[{"wait_s": 0.5}, {"press": "42"}],
    )
    report = await call.done()
    (received,) = application.requests_of("/menu")
    assert received.params["Digits"] == "42"
    assert report.agent_speech[-1].ended_ms < 700, "the first key silences the prompt"


async def test_gather_ends_at_the_finishing_key_without_it(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    call = await ring(server, application, '<Gather action="/menu"/>', steps=[{"wait_s": 0.2}, {"press": "123#"}])
    await call.done()
    assert application.requests_of("/menu")[0].params["Digits"] == "123"


async def test_gather_without_keys_continues_with_the_next_verb(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    call = await ring(server, application, '<Gather action="/menu" timeout="0.3"/><Redirect>/nobody</Redirect>')
    await call.done()
    assert application.requests_of("/menu") == []
    assert len(application.requests_of("/nobody")) == 1


async def test_a_message_is_recorded_after_the_tone_until_silence(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/kept"] = "<Response><Say>Thank you.</Say></Response>"
    call = await ring(
        server,
        application,
        '<Say>Leave a message.</Say><Record action="/kept" timeout="1" maxLength="10"/>',
        steps=[{"say": "Please call me back."}],
    )
    report = await call.done()
    (received,) = application.requests_of("/kept")
    (sid,) = report.recordings
    assert received.params["RecordingSid"] == sid
    assert received.params["RecordingUrl"].endswith(f"/Recordings/{sid}")
    assert int(received.params["RecordingDuration"]) in (2, 3, 4)
    (spoken,) = report.caller_speech
    kept = server.carrier.account.recordings[sid]
    assert isinstance(kept, KeptRecording)
    assert bytes(call.line.said)[spoken.began_ms * 8 : spoken.ended_ms * 8] in kept.ulaw


async def test_a_message_is_kept_when_the_caller_hangs_up(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    call = await ring(
        server,
        application,
        '<Record action="/kept" playBeep="false"/>',
        steps=[{"say": "Please call me back.", "listen": False}, {"hang_up": True}],
    )
    await call.done()
    await until(lambda: bool(application.requests_of("/kept")))
    assert application.requests_of("/kept")[0].params["Digits"] == "hangup"


async def test_no_message_is_no_recording(server: TwilioSimulator, application: FakeApplication) -> None:
    call = await ring(server, application, '<Record action="/kept" timeout="1"/><Redirect>/none</Redirect>')
    report = await call.done()
    assert (report.recordings, application.requests_of("/kept")) == ([], [])
    assert len(application.requests_of("/none")) == 1


async def test_dial_connects_the_caller_with_the_person_who_answers(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    server.carrier.numbers[BOB] = Number(says="Hello, this is Bob.", stays_s=0.5)
    call = await ring(
        server, application, f'<Dial action="/after-dial" callerId="{LINE}"><Number>{BOB}</Number></Dial>',
        steps=[{"wait_s": 0.6}, {"say": "Good evening.", "listen": False}],
    )  # fmt: skip
    report = await call.done()
    (received,) = application.requests_of("/after-dial")
    (dialed,) = report.dialed
    (bob,) = call.second_legs
    assert server.carrier.find(dialed.sid) is bob
    expected = {"DialCallStatus": "completed", "DialBridged": "true", "DialCallSid": bob.sid}
    assert received.params.items() >= expected.items()
    assert int(received.params["DialCallDuration"]) >= 1
    assert report.agent_speech, "Alice hears Bob"
    assert report_of(bob).agent_speech, "Bob hears Alice"
    assert (bob.plan.from_number, bob.plan.direction, bob.plan.parent_sid) == (LINE, "outbound-dial", call.sid)
    said = bytes(bob.line.said)
    middle = bob.line.voice.spoken[0].began_ms
    assert middle is not None
    assert said[middle * 8 : middle * 8 + 4000] in bytes(call.line.heard)


@pytest.mark.parametrize(("answers", "status"), [(Answers.BUSY, "busy"), (Answers.NO_ANSWER, "no-answer")])
async def test_the_action_of_dial_gets_the_status_of_an_unanswered_call(
    server: TwilioSimulator, application: FakeApplication, answers: Answers, status: str
) -> None:
    server.carrier.numbers[BOB] = Number(answers=answers)
    application.twiml["/after-dial"] = "<Response><Say>Nobody is there.</Say></Response>"
    call = await ring(server, application, f'<Dial action="/after-dial" timeout="1">{BOB}</Dial>')
    report = await call.done()
    (received,) = application.requests_of("/after-dial")
    assert (received.params["DialCallStatus"], received.params["DialBridged"]) == (status, "false")
    assert "DialCallDuration" not in received.params
    assert report.agent_speech


async def test_dial_without_action_continues_with_the_next_verb(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    server.carrier.numbers[BOB] = Number(answers=Answers.BUSY)
    call = await ring(server, application, f"<Dial>{BOB}</Dial><Redirect>/next</Redirect>")
    await call.done()
    assert len(application.requests_of("/next")) == 1


async def test_a_foreign_caller_id_fails_the_dial(server: TwilioSimulator, application: FakeApplication) -> None:
    call = await ring(server, application, f'<Dial action="/after-dial" callerId="+15559999999">{BOB}</Dial>')
    report = await call.done()
    assert [notice.code for notice in report.notices] == [13214]
    assert application.requests_of("/after-dial")[0].params["DialCallStatus"] == "failed"


@pytest.mark.parametrize("caller", ["sip:alice@example.com", "client:browser_7", "anonymous"])
@pytest.mark.parametrize("caller_id", ["", "sip:alice@example.com", "client:browser_7", "anonymous", "030 5550199"])
async def test_the_identity_of_a_caller_without_a_number_is_no_caller_id(
    server: TwilioSimulator, application: FakeApplication, caller: str, caller_id: str
) -> None:
    attribute = f' callerId="{caller_id}"' if caller_id else ""
    application.twiml["/voice"] = f'<Response><Dial action="/after-dial"{attribute}>{BOB}</Dial></Response>'
    call = await server.carrier.place_call(from_number=caller, to_number=LINE, voice_url=application.voice_url)
    report = await call.done()
    assert [notice.code for notice in report.notices] == [13214]
    assert application.requests_of("/after-dial")[0].params["DialCallStatus"] == "failed"


async def test_the_accounts_number_is_the_caller_id_of_a_caller_without_one(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    server.carrier.numbers[LINE] = Number(voice_url=application.voice_url)
    server.carrier.numbers[BOB] = Number(answers=Answers.BUSY)
    application.twiml["/voice"] = f'<Response><Dial action="/after-dial" callerId="{LINE}">{BOB}</Dial></Response>'
    call = await server.carrier.place_call(
        from_number="sip:alice@example.com", to_number="sip:line@example.com", voice_url=application.voice_url
    )
    assert (await call.done()).notices == []


@pytest.mark.parametrize("number", ["030 5550199", "15550003333", "sip:bob@example.com", "+0155500033", "+1"])
async def test_a_number_in_another_form_fails_the_dial(
    server: TwilioSimulator, application: FakeApplication, number: str
) -> None:
    call = await ring(server, application, f'<Dial action="/after-dial"><Number>{number}</Number></Dial>')
    report = await call.done()
    assert [notice.code for notice in report.notices] == [13223]
    assert application.requests_of("/after-dial")[0].params["DialCallStatus"] == "failed"


async def test_the_called_number_is_a_valid_caller_id_without_configuration(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/voice"] = f'<Response><Dial action="/after-dial" callerId="{LINE}">{BOB}</Dial></Response>'
    server.carrier.numbers[BOB] = Number(answers=Answers.BUSY)
    call = await server.carrier.place_call(from_number=ALICE, to_number=LINE, voice_url=application.voice_url)
    assert (await call.done()).notices == []


async def test_the_second_leg_ends_when_the_caller_hangs_up(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    server.carrier.numbers[BOB] = Number(says="Hello, this is Bob.", stays_s=60)
    call = await ring(
        server, application, f'<Dial action="/after-dial">{BOB}</Dial>', steps=[{"wait_s": 1}, {"hang_up": True}]
    )
    report = await call.done()
    assert [(dialed.status, report.ended_by) for dialed in report.dialed] == [("completed", "caller")]
    await until(lambda: bool(application.requests_of("/after-dial")))


@pytest.mark.parametrize(
    ("presses", "bridged"), [("1", "true"), ("", "false")], ids=["pressed a key", "pressed nothing"]
)
async def test_a_whisper_lets_the_second_person_choose(
    server: TwilioSimulator, application: FakeApplication, presses: str, bridged: str
) -> None:
    server.carrier.numbers[BOB] = Number(says="Hello, Bob here.", stays_s=0.3, presses=presses)
    application.twiml["/whisper"] = (
        '<Response><Gather action="/accepted" numDigits="1" timeout="0.5"/><Hangup/></Response>'
    )
    call = await ring(server, application, f'<Dial action="/after-dial"><Number url="/whisper">{BOB}</Number></Dial>')
    await call.done()
    assert application.requests_of("/whisper")[0].params["ParentCallSid"] == call.sid
    assert application.requests_of("/after-dial")[0].params["DialBridged"] == bridged


@pytest.mark.parametrize(
    ("verb", "status"), [('<Reject reason="busy"/>', "busy"), ("<Reject/>", "failed"), ("<Hangup/>", "completed")]
)
async def test_reject_and_hangup(server: TwilioSimulator, application: FakeApplication, verb: str, status: str) -> None:
    call = await ring(server, application, f"{verb}<Say>never</Say>")
    report = await call.done()
    assert (report.status, report.agent_speech) == (status, [])
    assert (call.answered_at is None) == verb.startswith("<Reject")


@pytest.mark.parametrize(
    ("status", "twiml", "code"),
    [(500, "<Hangup/>", 11200), (404, "", 11200), (200, "<Say>unclosed", 12100), (200, "<Connect/>", 12200)],
)
async def test_the_caller_hears_an_apology_if_the_application_fails(
    server: TwilioSimulator, application: FakeApplication, status: int, twiml: str, code: int
) -> None:
    application.status = status
    call = await ring(server, application, twiml, steps=[{"wait_s": 0.5}, {"hang_up": True}])
    report = await call.done()
    assert report.notices[0].code == code
    assert report.agent_speech
    assert report.status == "completed"


async def test_the_fallback_url_is_requested_before_the_apology(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    server.carrier.numbers[LINE] = Number(
        voice_url=application.base_url + "/broken", voice_fallback_url=application.base_url + "/fallback"
    )
    application.twiml["/broken"] = "no twiml"
    call = await ring(server, application, "")
    await call.done()
    (received,) = application.requests_of("/fallback")
    assert (received.params["ErrorCode"], received.params["ErrorUrl"]) == ("12100", application.base_url + "/broken")


async def test_an_unreachable_application_is_requested_twice(server: TwilioSimulator) -> None:
    server.carrier.numbers[LINE] = Number(voice_url="http://127.0.0.1:9/voice")
    call = await server.carrier.place_call(from_number=ALICE, to_number=LINE, steps=[{"hang_up": True}])
    report = await call.done()
    assert [notice.code for notice in report.notices] == [11205]


async def test_a_loop_of_redirects_ends(server: TwilioSimulator, application: FakeApplication) -> None:
    call = await ring(server, application, "<Redirect>/voice</Redirect>", steps=[{"listen": 0}, {"hang_up": True}])
    report = await call.done()
    assert report.notices[-1].code == 11215


async def test_a_call_has_a_limit(server: TwilioSimulator, application: FakeApplication) -> None:
    call = await ring(server, application, '<Pause length="60"/>', limit_s=0.5)
    report = await call.done()
    assert (report.ended_by, report.status) == ("limit", "completed")
    assert 480 <= report.line_ms <= 600


async def test_a_response_may_depend_on_the_request(server: TwilioSimulator, application: FakeApplication) -> None:
    def by_digits(received: ReceivedRequest) -> str:
        return "<Response><Redirect>/gathered</Redirect></Response>" if "Digits" in received.params else "<Response/>"

    application.twiml["/digits"] = by_digits
    call = await ring(
        server,
        application,
        '<Gather action="/digits" timeout="0.2" actionOnEmptyResult="true"/>',
    )
    await call.done()
    assert len(application.requests_of("/gathered")) == 1


async def until(condition: Any) -> None:
    import asyncio

    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.02)

"""The messages of the media socket, one by one, and their timing."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from voiceapp.simulators.twilio import SimulatedCall, TwilioSimulator
from voiceapp.simulators.twilio.tests.fake_application import ACCOUNT_SID, AUTH_TOKEN, FakeApplication, MediaEnd

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

ALICE, LINE = "+15550001111", "+15550002222"
VALIDATOR = RequestValidator(AUTH_TOKEN)


async def ring(server: TwilioSimulator, application: FakeApplication, **options: Any) -> SimulatedCall:
    application.twiml.setdefault("/voice", application.stream())
    return await server.carrier.place_call(
        from_number=ALICE, to_number=LINE, voice_url=application.voice_url, **options
    )


async def test_a_stream_has_its_messages_in_order_with_sequence_numbers(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/voice"] = application.stream(parameters='<Parameter name="token" value="t&amp;1"/>')
    call = await ring(server, application, steps=[{"wait_s": 0.5}, {"hang_up": True}])
    await call.done()
    connected, start, *media, stop = application.ends[0].messages
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start == {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": start["streamSid"],
        "start": {
            "accountSid": ACCOUNT_SID,
            "streamSid": start["streamSid"],
            "callSid": call.sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"token": "t&1"},
        },
    }
    assert [m["event"] for m in media] == ["media"] * len(media)
    assert [m["sequenceNumber"] for m in media] == [str(n) for n in range(2, len(media) + 2)]
    assert [m["media"]["chunk"] for m in media] == [str(n) for n in range(1, len(media) + 1)]
    assert [m["media"]["timestamp"] for m in media] == [str(20 * n) for n in range(len(media))]
    assert {len(base64.b64decode(m["media"]["payload"])) for m in media} == {160}
    assert stop["stop"] == {"accountSid": ACCOUNT_SID, "callSid": call.sid}
    assert stop["sequenceNumber"] == str(len(media) + 2)


async def test_the_callers_audio_arrives_sample_by_sample(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    steps = [{"wait_s": 0.2}, {"say": "One pizza.", "listen": False}, {"hang_up": True}]
    call = await ring(server, application, steps=steps)
    (spoken,) = (await call.done()).caller_speech
    sent = b"".join(base64.b64decode(m["media"]["payload"]) for m in application.ends[0].of("media"))
    said = bytes(call.line.said)
    assert sent in said
    assert said[spoken.began_ms * 8 : spoken.ended_ms * 8] in sent


async def test_frames_keep_an_absolute_clock_through_stalls_of_the_loop(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    call = await ring(server, application, steps=[{"wait_s": 3}, {"hang_up": True}])
    while not call.is_done:
        await asyncio.sleep(0.3)
        time.sleep(0.07)  # a stall of the whole loop, as of a busy machine
    report = await call.done()
    progress = call.progress
    assert progress.answered_at
    assert progress.ended_at
    wall_ms = (progress.ended_at - progress.answered_at).total_seconds() * 1000
    assert abs(wall_ms - report.line_ms) < 120
    assert report.streams[0].frames_sent == len(application.ends[0].of("media"))


async def test_the_handshake_is_signed_as_twilio_does(server: TwilioSimulator, application: FakeApplication) -> None:
    call = await ring(server, application, steps=[{"wait_s": 0.1}, {"hang_up": True}])
    await call.done()
    end = application.ends[0]
    assert end.url == application.media_url
    assert VALIDATOR.validate(application.media_url, {}, end.headers["x-twilio-signature"])
    assert "origin" not in end.headers


async def test_a_mark_is_echoed_when_the_audio_before_it_has_been_played(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    echoed: dict[str, int] = {}

    async def plays_and_marks(end: MediaEnd, message: dict[str, Any]) -> None:
        if message["event"] == "start":
            await end.mark("nothing queued")
            for n in (1, 2, 3):
                await end.play(b"\x20" * 1600)
                await end.mark(f"after {200 * n} ms")
        elif message["event"] == "media":
            end.last_ms = int(message["media"]["timestamp"])  # type: ignore[attr-defined]
        elif message["event"] == "mark":
            echoed[message["mark"]["name"]] = getattr(end, "last_ms", 0)

    application.on_message = plays_and_marks
    call = await ring(server, application, steps=[{"wait_s": 1}, {"hang_up": True}])
    await call.done()
    assert list(echoed) == ["nothing queued", "after 200 ms", "after 400 ms", "after 600 ms"]
    first = echoed["after 200 ms"]
    assert echoed["nothing queued"] <= 20
    assert 180 <= first <= 240
    assert [echoed[f"after {n} ms"] - first for n in (400, 600)] == [200, 400]


async def test_clear_silences_the_agent_and_echoes_every_pending_mark(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    async def clears_after_half_a_second(end: MediaEnd, message: dict[str, Any]) -> None:
        if message["event"] == "start":
            await end.play(b"\x20" * 40_000)
            await end.mark("a")
            await end.mark("b")
        elif message["event"] == "media" and message["media"]["chunk"] == "25":
            await end.clear()

    application.on_message = clears_after_half_a_second
    call = await ring(server, application, steps=[{"wait_s": 1}, {"hang_up": True}])
    report = await call.done()
    assert [m["mark"]["name"] for m in application.ends[0].of("mark")] == ["a", "b"]
    (speech,) = report.agent_speech
    assert 460 <= speech.ended_ms - speech.began_ms <= 540
    assert report.streams[0].clears_received == 1


async def test_pressed_keys_arrive_as_dtmf(server: TwilioSimulator, application: FakeApplication) -> None:
    call = await ring(server, application, steps=[{"wait_s": 0.1}, {"press": "5#"}, {"hang_up": True}])
    await call.done()
    assert [m["dtmf"] for m in application.ends[0].of("dtmf")] == [
        {"track": "inbound_track", "digit": "5"},
        {"track": "inbound_track", "digit": "#"},
    ]


async def test_invalid_messages_are_counted_with_one_notice_per_code(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    async def sends_nonsense(end: MediaEnd, message: dict[str, Any]) -> None:
        if message["event"] != "start":
            return
        sid = end.stream_sid
        for text in (
            "not json",
            "[]",
            json.dumps({"event": "stop", "streamSid": sid}),
            json.dumps({"event": "media", "streamSid": "MZother", "media": {"payload": ""}}),
            json.dumps({"event": "media", "streamSid": sid, "media": {"payload": "%"}}),
            json.dumps({"event": "media", "streamSid": sid}),
            json.dumps({"event": "mark", "streamSid": sid, "mark": {}}),
        ):
            await end.socket.send_str(text)
        await end.socket.send_bytes(b"\xff" * 160)
        await end.play(b"\x20" * 160)

    application.on_message = sends_nonsense
    call = await ring(server, application, steps=[{"wait_s": 0.3}, {"hang_up": True}])
    report = await call.done()
    assert sorted(notice.code for notice in report.notices) == [31950, 31951]
    assert (report.streams[0].invalid_received, report.streams[0].media_received) == (8, 1)


async def test_a_rejected_handshake_is_reported_and_the_action_follows(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.refuse_sockets = True
    application.twiml["/voice"] = application.stream(callback=f"{application.base_url}/stream-status")
    call = await ring(server, application)
    report = await call.done()
    assert [notice.code for notice in report.notices] == [31920]
    assert (report.streams[0].closed_by, report.streams[0].close_code) == ("handshake", 403)
    (callback,) = application.requests_of("/stream-status")
    assert callback.params["StreamEvent"] == "stream-error"
    assert len(application.requests_of("/after")) == 1


async def test_an_unencrypted_stream_to_another_machine_is_rejected(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/voice"] = "<Response><Connect><Stream url='ws://media.example.com/x'/></Connect></Response>"
    report = await (await ring(server, application)).done()
    assert [notice.code for notice in report.notices] == [31922]


async def test_a_query_string_on_the_stream_is_dropped_with_a_notice(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/voice"] = (
        f"<Response><Connect><Stream url='{application.media_url}?token=1'/></Connect></Response>"
    )
    report = await (await ring(server, application, steps=[{"wait_s": 0.1}, {"hang_up": True}])).done()
    assert application.ends[0].url == application.media_url
    assert [notice.code for notice in report.notices] == [31920]


async def test_signed_callbacks_report_the_start_and_the_end_of_a_stream(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/voice"] = application.stream(callback="/stream-status")
    call = await ring(server, application, steps=[{"wait_s": 0.1}, {"hang_up": True}])
    await call.done()
    callbacks = application.requests_of("/stream-status")
    assert [each.params["StreamEvent"] for each in callbacks] == ["stream-started", "stream-stopped"]
    for each in callbacks:
        assert VALIDATOR.validate(each.url, each.params, each.headers["x-twilio-signature"])
        assert each.params["StreamSid"] == call.log.streams[0].sid
        assert each.params["Timestamp"].endswith("Z")


async def test_queued_audio_lost_when_the_agent_closes_is_a_clipped_end(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    async def cuts_its_farewell(end: MediaEnd, message: dict[str, Any]) -> None:
        if message["event"] == "start":
            await end.play(b"\x20" * 16_000)
            await asyncio.sleep(0.3)
            await end.socket.close()

    application.on_message = cuts_its_farewell
    report = await (await ring(server, application)).done()
    (clipped,) = report.clipped_ends
    assert 1600 <= clipped.lost_ms <= 1760
    assert (report.streams[0].closed_by, report.streams[0].close_code) == ("application", 1000)

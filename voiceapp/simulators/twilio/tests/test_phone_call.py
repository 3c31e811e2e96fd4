"""A whole call: webhook, TwiML, audio both ways, marks, the script, the recording."""

from __future__ import annotations

import asyncio
import io
import wave
from typing import Any

import numpy as np
import pytest

from voiceapp.simulators import mulaw
from voiceapp.simulators.twilio import TwilioSimulator
from voiceapp.simulators.twilio.caller_voice import synthesize
from voiceapp.simulators.twilio.tests.fake_application import FakeApplication, MediaEnd, echo

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

ALICE, LINE = "+15550001111", "+15550002222"


async def greets(end: MediaEnd, message: dict[str, Any]) -> None:
    if message["event"] == "start":
        await end.play(synthesize("Hello, what would you like?"))
        await end.mark("greeted")


async def test_a_caller_hears_an_echo_of_the_own_speech(server: TwilioSimulator, application: FakeApplication) -> None:
    application.twiml["/voice"] = application.stream()
    application.on_message = echo
    call = await server.carrier.place_call(
        from_number=ALICE,
        to_number=LINE,
        voice_url=application.voice_url,
        steps=[{"say": "One pizza please.", "listen": False}, {"wait_s": 0.3}, {"hang_up": True}],
    )
    report = await call.done()
    assert (report.status, report.ended_by, report.notices) == ("completed", "caller", [])
    (spoken,) = report.caller_speech
    assert abs(report.agent_speech[0].began_ms - spoken.began_ms) <= 100
    assert report.agent_speech[-1].ended_ms >= spoken.ended_ms
    assert application.ends[0].of("stop")


async def test_the_agents_audio_is_played_sample_by_sample(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    audio = bytes(np.random.default_rng(1).integers(0, 256, 8000 + 77, dtype=np.uint8))

    async def sends_it_in_odd_pieces(end: MediaEnd, message: dict[str, Any]) -> None:
        if message["event"] == "start":
            for start in range(0, len(audio), 333):
                await end.play(audio[start : start + 333])
            await end.mark("end")
        elif message["event"] == "mark":
            await end.socket.close()

    application.twiml["/voice"] = application.stream()
    application.on_message = sends_it_in_odd_pieces
    call = await server.carrier.place_call(from_number=ALICE, to_number=LINE, voice_url=application.voice_url)
    await call.done()
    heard = bytes(call.line.heard)
    assert audio in heard
    with wave.open(io.BytesIO(call.recording)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 8000, len(heard))
        samples = np.frombuffer(file.readframes(len(heard)), "<i2").reshape(-1, 2)
    assert samples[:, 1].tobytes() == mulaw.decode(heard)
    assert samples[:, 0].tobytes() == mulaw.decode(bytes(call.line.said))


async def test_the_application_closing_the_socket_leads_to_its_action(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    async def closes(end: MediaEnd, message: dict[str, Any]) -> None:
        if message["event"] == "start":
            await end.socket.close()

    application.twiml["/voice"] = application.stream(action="/after")
    application.twiml["/after"] = "<Response><Hangup/></Response>"
    application.on_message = closes
    call = await server.carrier.place_call(from_number=ALICE, to_number=LINE, voice_url=application.voice_url)
    report = await call.done()
    assert report.ended_by == "application"
    assert report.streams[0].closed_by == "application"
    (received,) = application.requests_of("/after")
    assert (received.params["CallSid"], received.params["CallStatus"]) == (call.sid, "in-progress")


async def test_a_caller_listens_before_speaking(server: TwilioSimulator, application: FakeApplication) -> None:
    application.twiml["/voice"] = application.stream()
    application.on_message = greets
    call = await server.carrier.place_call(
        from_number=ALICE,
        to_number=LINE,
        voice_url=application.voice_url,
        steps=[{"say": "A pizza.", "silence_ms": 500}, {"hang_up": True}],
    )
    report = await call.done()
    assert report.caller_speech[0].began_ms >= report.agent_speech[-1].ended_ms + 480
    assert report.caller_speech[0].began_ms <= report.agent_speech[-1].ended_ms + 700
    assert report.underruns == []
    assert report.clipped_ends == []


async def test_an_interruption_starts_on_time_and_its_reaction_is_measured(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    loud = mulaw.encode((8000 * np.sin(np.arange(80_000) * 0.5)).astype("<i2").tobytes())

    async def stop_on_request(end: MediaEnd, message: dict[str, Any]) -> None:
        if message["event"] == "start":
            await end.play(loud)
            await asyncio.sleep(1.0)
            await end.clear()

    application.twiml["/voice"] = application.stream()
    application.on_message = stop_on_request
    call = await server.carrier.place_call(
        from_number=ALICE,
        to_number=LINE,
        voice_url=application.voice_url,
        steps=[{"say": "Stop, stop please, I want something else", "interrupt_after_ms": 600}, {"hang_up": True}],
    )
    report = await call.done()
    (speech,) = report.agent_speech
    assert 980 <= speech.ended_ms - speech.began_ms <= 1080
    (interruption,) = report.interruptions
    lead_ms = call.line.voice.spoken[0].voiced_from_ms
    assert interruption.at_ms - speech.began_ms in range(600 + lead_ms, 660 + lead_ms)
    assert interruption.reaction_ms == speech.ended_ms - interruption.at_ms
    assert report.clipped_ends == []

"""Conferences: who hears whom, what is played before, callbacks, and how one ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray
from twilio.base.exceptions import TwilioRestException

from voiceapp.simulators import mulaw
from voiceapp.simulators.twilio import Behavior, Number, SimulatedCall, TwilioSimulator
from voiceapp.simulators.twilio.conferences import Participant
from voiceapp.simulators.twilio.frames import SILENCE
from voiceapp.simulators.twilio.line import Line
from voiceapp.simulators.twilio.recording import mono_wav
from voiceapp.simulators.twilio.tests.fake_application import FakeApplication, ReceivedRequest
from voiceapp.simulators.twilio.tests.test_rest import client_of
from voiceapp.simulators.twilio.ticker import Ticker

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

ALICE, BOB, CARLA, LINE = "+15550001111", "+15550003333", "+15550004444", "+15550002222"


def conference(attributes: str = "", *, action: str = "/over") -> str:
    return (
        f'<Response><Dial action="{action}"><Conference beep="false" waitUrl="" {attributes}>room</Conference>'
        "</Dial></Response>"
    )


async def enter(
    server: TwilioSimulator, application: FakeApplication, caller: str, steps: list[Mapping[str, object]], **faults: str
) -> SimulatedCall:
    server.carrier.numbers.setdefault(LINE, Number(voice_url=application.voice_url))
    return await server.carrier.place_call(
        from_number=caller, to_number=LINE, steps=steps, faults=list(faults), noise=False
    )


def has_heard(listener: SimulatedCall, speaker: SimulatedCall) -> bool:
    """Whether 200 ms of the middle of what one said are in what the other heard."""
    began_ms, ended_ms = speaker.report.caller_speech[0].began_ms, speaker.report.caller_speech[0].ended_ms
    middle = (began_ms + ended_ms) // 2 * 8
    said = samples(speaker.line.said[middle : middle + 1600])
    heard = samples(listener.line.heard)
    energy = np.convolve(heard**2, np.ones(len(said)), "valid") * (said**2).sum()
    likeness = np.correlate(heard, said, "valid") / np.sqrt(np.maximum(energy, 1))
    return bool(likeness.max() > 0.99)


def samples(ulaw: bytearray) -> NDArray[np.float64]:
    return np.frombuffer(mulaw.decode(bytes(ulaw)), "<i2").astype(np.float64)


async def test_two_people_hear_each_other_and_the_action_says_so(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/voice"] = conference('endConferenceOnExit="true"')
    alice = await enter(server, application, ALICE, [{"wait_s": 0.5}, {"say": "Good morning.", "listen": False}])
    bob = await enter(
        server,
        application,
        BOB,
        [{"wait_s": 2}, {"say": "Good morning to you.", "listen": False}, {"wait_s": 0.3}, {"hang_up": True}],
    )
    await asyncio.gather(alice.done(), bob.done())

    assert has_heard(bob, alice)
    assert has_heard(alice, bob)
    over = {received.params["CallSid"]: received.params for received in application.requests_of("/over")}
    assert over[alice.sid]["DialCallStatus"] == "answered"
    assert over[bob.sid]["CallStatus"] == "completed"
    assert server.carrier.open_legs() == []


async def test_three_at_once_are_mixed() -> None:
    line = Line(Ticker(), noise=False)
    listener = Participant("CA1", line, {})
    one, two = (np.full(160, value, "<i2") for value in (1000, 2000))
    listener.hear("CA2", mulaw.encode(one.tobytes()))
    listener.hear("CA3", mulaw.encode(two.tobytes()))
    mixed = np.frombuffer(mulaw.decode(listener.next_frame(0)), "<i2")
    assert abs(int(mixed.mean()) - 3000) < 100
    assert listener.next_frame(20) == SILENCE


async def test_who_waits_hears_the_wait_url_and_only_who_may_start_starts_it(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    tone = mulaw.encode((5000 * np.sin(np.arange(8000) / 3)).astype("<i2").tobytes())
    application.files["/music.wav"] = (mono_wav(tone), "audio/wav")
    waits = 'startConferenceOnEnter="false"'
    room = f'<Response><Dial><Conference beep="false" waitUrl="/music.wav" {waits}>room</Conference></Dial></Response>'
    application.twiml["/voice"] = room
    alice = await enter(server, application, ALICE, [])
    bob = await enter(server, application, BOB, [])
    await asyncio.sleep(1)
    application.twiml["/voice"] = conference('endConferenceOnExit="true"')
    carla = await enter(
        server, application, CARLA, [{"wait_s": 0.5}, {"say": "Now we begin.", "listen": False}, {"hang_up": True}]
    )
    await asyncio.gather(alice.done(), bob.done(), carla.done())

    assert alice.report.agent_speech[0].began_ms < 500, "the music"
    assert has_heard(alice, carla)
    assert has_heard(bob, carla)


async def test_callbacks_tell_who_joined_and_left_and_why_it_ended(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    events = 'statusCallback="/events" statusCallbackEvent="start end join leave" endConferenceOnExit="true"'
    application.twiml["/voice"] = conference(events)
    alice = await enter(server, application, ALICE, [])
    bob = await enter(server, application, BOB, [{"wait_s": 0.3}, {"hang_up": True}])
    await asyncio.gather(alice.done(), bob.done())
    async with asyncio.timeout(3):
        while len(application.requests_of("/events")) < 6:
            await asyncio.sleep(0.02)

    sent = [received.params for received in application.requests_of("/events")]
    kinds = [params["StatusCallbackEvent"] for params in sent]
    assert kinds[:3] == ["participant-join", "participant-join", "conference-start"]
    assert sorted(kinds[3:]) == ["conference-end", "participant-leave", "participant-leave"]
    end = next(params for params in sent if params["StatusCallbackEvent"] == "conference-end")
    assert end["ReasonConferenceEnded"] == "participant-with-end-conference-on-exit-left"
    assert end["CallSidEndingConference"] == bob.sid
    assert "CallSid" not in end
    assert {params["CallSid"] for params in sent if "CallSid" in params} == {alice.sid, bob.sid}
    assert [int(params["SequenceNumber"]) for params in sent] == list(range(6))


async def test_a_rest_update_takes_a_leg_out_without_its_action(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/voice"] = conference()
    application.twiml["/elsewhere"] = "<Response><Say>Welcome back.</Say></Response>"
    alice = await enter(server, application, ALICE, [])
    await asyncio.sleep(0.4)
    url = f"{application.base_url}/elsewhere"
    await asyncio.to_thread(lambda: client_of(server).calls(alice.sid).update(url=url))
    await alice.done()

    assert application.requests_of("/over") == []
    assert len(application.requests_of("/elsewhere")) == 1


async def test_a_conference_that_is_refused_fails_the_dial(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/voice"] = conference()
    alice = await enter(server, application, ALICE, [], conference_refused="")
    report = await alice.done()
    (over,) = application.requests_of("/over")
    assert over.params["DialCallStatus"] == "failed"
    assert [notice.code for notice in report.notices] == [16025]


@pytest.mark.parametrize(
    ("behaves", "status", "digits"),
    [
        (Behavior.ACCEPT, "completed", "1"),
        (Behavior.DECLINE, "completed", "2"),
        (Behavior.NO_ANSWER, "no-answer", None),
        (Behavior.BUSY, "busy", None),
        (Behavior.VOICEMAIL, "completed", None),
        (Behavior.HANG_UP, "completed", None),
    ],
)
async def test_a_person_behaves_as_configured(
    server: TwilioSimulator, application: FakeApplication, behaves: Behavior, status: str, digits: str | None
) -> None:
    def menu(received: ReceivedRequest) -> str:
        return "<Response><Gather action='/keys' numDigits='1' timeout='1'><Say>Press 1.</Say></Gather></Response>"

    application.twiml["/menu"] = menu
    application.twiml["/keys"] = "<Response><Pause length='0.2'/></Response>"
    server.carrier.numbers[LINE] = Number(voice_url=application.voice_url)
    server.carrier.numbers[BOB] = Number(behaves=behaves, stays_s=0.3)
    created = await create(server, to=BOB, url=f"{application.base_url}/menu", ring_s=1)
    call = server.carrier.find(created)
    assert isinstance(call, SimulatedCall)
    report = await call.done()

    assert report.status == status
    keys = [received.params["Digits"] for received in application.requests_of("/keys")]
    assert keys == ([digits] if digits else [])
    assert server.carrier.open_legs() == []


async def create(server: TwilioSimulator, *, to: str, url: str, ring_s: int) -> str:
    client = client_of(server)
    created = await asyncio.to_thread(lambda: client.calls.create(to=to, from_=LINE, url=url, timeout=ring_s))
    return str(created.sid)


async def test_the_callers_number_is_shown_with_the_token_of_the_call_while_it_goes_on(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/voice"] = "<Response><Pause length='20'/></Response>"
    alice = await enter(server, application, ALICE, [])
    await asyncio.sleep(0.3)
    token = application.requests_of("/voice")[0].params["CallToken"]

    def show(number: str, token: str, prefix: str = "") -> str:
        calls = client_of(server, prefix=prefix).calls
        try:
            return str(calls.create(to=BOB, from_=number, url=application.voice_url, call_token=token).status)
        except TwilioRestException as refused:
            return str(refused.code)

    assert await asyncio.to_thread(show, ALICE, token) == "queued"
    assert await asyncio.to_thread(show, ALICE, "forged") == "21210"
    assert await asyncio.to_thread(show, CARLA, token) == "21210"
    assert await asyncio.to_thread(show, ALICE, token, "/fault/caller_id_refused=21212") == "21212"
    alice.person.hang_up()
    await alice.done()
    assert await asyncio.to_thread(show, ALICE, token) == "21210"


async def test_a_leg_that_is_answered_too_late_is_answered_though_it_was_canceled(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/late"] = "<Response><Hangup/></Response>"
    client = client_of(server, prefix="/fault/answers_late=300")
    url = f"{application.base_url}/late"
    created = await asyncio.to_thread(lambda: client.calls.create(to=BOB, from_=LINE, url=url, timeout=1))
    await asyncio.to_thread(lambda: client.calls(created.sid).update(status="completed"))
    call = server.carrier.find(str(created.sid))
    assert isinstance(call, SimulatedCall)
    report = await call.done()
    assert (report.status, len(application.requests_of("/late"))) == ("completed", 1)

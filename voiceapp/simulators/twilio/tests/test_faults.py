"""Each injected fault has its effect and no other."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from voiceapp.simulators.twilio import SimulatedCall, TwilioSimulator
from voiceapp.simulators.twilio.tests.fake_application import AUTH_TOKEN, FakeApplication, MediaEnd

pytestmark = pytest.mark.asyncio

ALICE, LINE = "+15550001111", "+15550002222"
SHORT = [{"wait_s": 0.4}, {"hang_up": True}]
VALIDATOR = RequestValidator(AUTH_TOKEN)


async def ring(server: TwilioSimulator, application: FakeApplication, *faults: str, **options: Any) -> SimulatedCall:
    application.twiml.setdefault("/voice", application.stream(callback="/stream-status"))
    options.setdefault("steps", SHORT)
    return await server.carrier.place_call(
        from_number=ALICE, to_number=LINE, voice_url=application.voice_url, faults=faults, **options
    )


async def plays(end: MediaEnd, message: dict[str, Any]) -> None:
    if message["event"] == "start":
        for n in range(4):
            await end.play(b"\x20" * 160)
            await end.mark(str(n))


async def test_no_stop_closes_the_socket_without_it(server: TwilioSimulator, application: FakeApplication) -> None:
    await (await ring(server, application, "no_stop")).done()
    assert application.ends[0].of("stop") == []
    assert application.ends[0].socket.close_code == 1000


async def test_abort_resets_the_connection(server: TwilioSimulator, application: FakeApplication) -> None:
    report = await (await ring(server, application, "abort=200", steps=[])).done()
    end = application.ends[0]
    assert end.of("stop") == []
    assert end.socket.close_code in (None, 1006)
    assert report.streams[0].close_code == 1006
    assert 8 <= report.streams[0].frames_sent <= 12
    assert len(application.requests_of("/after")) == 1


async def test_never_start_sends_connected_only(server: TwilioSimulator, application: FakeApplication) -> None:
    await (await ring(server, application, "never_start")).done()
    assert [message["event"] for message in application.ends[0].messages] == ["connected"]


async def test_two_starts(server: TwilioSimulator, application: FakeApplication) -> None:
    await (await ring(server, application, "two_starts")).done()
    assert [m["sequenceNumber"] for m in application.ends[0].of("start")] == ["1", "2"]


async def test_lost_marks_are_not_echoed(server: TwilioSimulator, application: FakeApplication) -> None:
    application.on_message = plays
    await (await ring(server, application, "lose_marks=2")).done()
    assert [m["mark"]["name"] for m in application.ends[0].of("mark")] == ["0", "2"]


async def test_media_without_timestamps(server: TwilioSimulator, application: FakeApplication) -> None:
    await (await ring(server, application, "drop_timestamps")).done()
    media = application.ends[0].of("media")
    assert media
    assert all(set(m["media"]) == {"track", "payload"} for m in media)


async def test_gaps_in_numbers_and_timestamps(server: TwilioSimulator, application: FakeApplication) -> None:
    steps = [{"wait_s": 3.6}, {"hang_up": True}]
    await (await ring(server, application, "gaps=200", steps=steps)).done()
    stamps = [int(m["media"]["timestamp"]) for m in application.ends[0].of("media")]
    chunks = [int(m["media"]["chunk"]) for m in application.ends[0].of("media")]
    holes = [(a, b) for a, b in itertools.pairwise(stamps) if b - a != 20]
    assert holes == [(2980, 3200)]
    assert chunks == [stamp // 20 + 1 for stamp in stamps]


@pytest.mark.parametrize(
    ("what", "spoiled"),
    [("webhook", {"/voice"}), ("stream", {"/media"}), ("callbacks", {"/stream-status"})],
)
async def test_a_bad_signature_only_where_it_is_injected(
    server: TwilioSimulator, application: FakeApplication, what: str, spoiled: set[str]
) -> None:
    await (await ring(server, application, f"bad_signature={what}")).done()
    wrong = {
        received.path
        for received in application.requests
        if not VALIDATOR.validate(received.url, received.params, received.headers["x-twilio-signature"])
    }
    end = application.ends[0]
    if not VALIDATOR.validate(end.url, {}, end.headers["x-twilio-signature"]):
        wrong.add("/media")
    assert wrong == spoiled


async def test_replay_token_sends_the_parameters_on_a_second_socket(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    application.twiml["/voice"] = application.stream(parameters='<Parameter name="token" value="once"/>')

    async def refuses_the_second(end: MediaEnd, message: dict[str, Any]) -> None:
        if message["event"] == "start" and len(application.ends) > 1:
            await end.socket.close(code=1008)

    application.on_message = refuses_the_second
    steps = [{"wait_s": 1.5}, {"hang_up": True}]  # longer than a busy machine needs for the second socket
    report = await (await ring(server, application, "replay_token=100", steps=steps)).done()
    first, second = (end.of("start")[0]["start"] for end in application.ends)
    assert first == second
    (event,) = [event for event in report.events if event.what == "second_socket_closed"]
    assert event.details["code"] == 1008
    assert report.streams[0].closed_by == "caller"


async def test_late_token_waits_before_the_socket(server: TwilioSimulator, application: FakeApplication) -> None:
    report = await (
        await ring(server, application, "late_token=0.5", steps=[{"wait_s": 0.7}, {"hang_up": True}])
    ).done()
    assert report.streams[0].began_ms is not None
    assert 500 <= report.streams[0].began_ms <= 600


async def test_a_slow_reader_stops_reading(server: TwilioSimulator, application: FakeApplication) -> None:
    async def floods(end: MediaEnd, message: dict[str, Any]) -> None:
        if message.get("event") == "media" and message["media"]["chunk"] == "20":
            for _ in range(50):
                await asyncio.wait_for(end.play(b"\x20" * 8000), 5)

    application.on_message = floods
    report = await (await ring(server, application, "slow_reader=100", steps=[{"wait_s": 1}, {"hang_up": True}])).done()
    assert report.streams[0].media_received == 0


async def test_garbage_and_binary_and_oversized_frames_are_sent(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    report = await (
        await ring(
            server, application, "garbage_frames=3", "binary_frames=2", steps=[{"wait_s": 0.6}, {"hang_up": True}]
        )
    ).done()
    end = application.ends[0]
    assert end.binaries == 2
    assert end.texts.count("not json") == 1
    assert report.streams[0].closed_by == "caller"

    report = await (await ring(server, application, "oversized_frame=66000", steps=[{"wait_s": 2}])).done()
    assert (report.streams[0].closed_by, report.streams[0].close_code) == ("application", 1009)


async def test_a_repeated_webhook_is_the_same_request(server: TwilioSimulator, application: FakeApplication) -> None:
    report = await (await ring(server, application, "repeat_webhook=3")).done()
    received = application.requests_of("/voice")
    assert len(received) == 4
    assert (
        len({json.dumps([each.url, each.params, each.headers["i-twilio-idempotency-token"]]) for each in received}) == 1
    )
    assert len(set(report.webhook_responses)) == 1
    assert len(report.webhook_responses) == 4
    assert len(application.ends) == 1


async def test_callbacks_doubled_and_reordered(server: TwilioSimulator, application: FakeApplication) -> None:
    events = ("ringing", "answered", "completed")
    url = f"{application.base_url}/status"
    application.twiml["/voice"] = "<Response/>"
    for fault, expected in (
        ("callbacks_doubled", ["ringing", "ringing", "in-progress", "in-progress", "completed", "completed"]),
        ("callbacks_reordered", ["completed", "in-progress", "ringing"]),
    ):
        application.requests.clear()
        await (await ring(server, application, fault, status_callback=url, status_callback_events=events)).done()
        assert [received.params["CallStatus"] for received in application.requests_of("/status")] == expected

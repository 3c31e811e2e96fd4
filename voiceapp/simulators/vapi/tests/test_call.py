"""A call over the socket: greeting, hearing, interruptions, control, and how it ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from voiceapp.simulators import mulaw
from voiceapp.simulators.vapi import VapiSimulator
from voiceapp.simulators.vapi.tests.caller import ASSISTANT, calling, post, request

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

PCM = {"provider": "vapi.websocket", "audioFormat": {"format": "pcm_s16le", "container": "raw", "sampleRate": 16000}}
LONG = {**ASSISTANT, "firstMessage": "Welcome to our house. " * 6, "firstMessageInterruptionsEnabled": True}


async def test_the_first_message_is_spoken_and_reported(vapi: VapiSimulator) -> None:
    async with calling(vapi) as caller:
        await caller.until("speech-update", status="stopped", role="assistant")
        await caller.until("conversation-update")
    assert caller.kinds()[:3] == ["status-update", "assistant.started", "speech-update"]
    said = [event for event in caller.events if event["type"] == "transcript"]
    assert [(each["role"], each["transcriptType"], each["transcript"]) for each in said] == [
        ("assistant", "partial", "Hello."), ("assistant", "final", "Hello."),
    ]  # fmt: skip
    assert len(caller.audio) > 8 * 300
    assert max(abs(each) for each in memoryview(mulaw.decode(bytes(caller.audio))).cast("h")) > 3000
    assert len({len(frame) for frame in caller.frames if isinstance(frame, bytes)}) > 1


async def test_audio_arrives_in_real_time(vapi: VapiSimulator) -> None:
    async with calling(vapi, assistant=LONG) as caller:
        began_s = asyncio.get_running_loop().time()
        while len(caller.audio) < 8 * 1500:
            await caller.receive()
        assert asyncio.get_running_loop().time() - began_s > 1.0


async def test_pcm_at_16_khz_is_twice_two_bytes(vapi: VapiSimulator) -> None:
    async with calling(vapi) as caller:
        await caller.until("speech-update", status="stopped", role="assistant")
    async with calling(vapi, transport=PCM) as wide:
        await wide.until("speech-update", status="stopped", role="assistant")
    assert len(wide.audio) == pytest.approx(4 * len(caller.audio), rel=0.02)


@pytest.mark.parametrize(("changes", "first"), [
    ({"firstMessageMode": "assistant-waits-for-user"}, ""),
    ({"firstMessageMode": "assistant-speaks-first-with-model-generated-message"}, "Hello! What can I do for you?"),
    ({"firstMessage": "Hello {{name}}."}, "Hello Alice."),
])  # fmt: skip
async def test_who_speaks_first(vapi: VapiSimulator, changes: dict[str, Any], first: str) -> None:
    overrides = {**changes, "variableValues": {"name": "Alice"}}
    async with calling(vapi, assistantOverrides=overrides) as caller:
        if first:
            await caller.until("conversation-update")
        else:
            await asyncio.sleep(0.3)
            assert not caller.audio
        await caller.send({"type": "end-call"})
        await caller.closed()
    said = [each["message"] for each in vapi.calls[caller.call["id"]].transcript.messages if each["role"] == "bot"]
    assert said == ([first] if first else [])


@pytest.mark.sound
async def test_the_caller_is_heard_and_answered(vapi: VapiSimulator) -> None:
    async with calling(vapi) as caller:
        await caller.until("conversation-update")
        await caller.speak("Hello.")
        await caller.until("speech-update", status="started", role="user")
        await caller.until("transcript", role="user", transcriptType="final", transcript="Hello.")
        output = await caller.until("model-output")
        answer = await caller.until("transcript", role="assistant", transcriptType="final")
        await caller.send({"type": "end-call"})
        await caller.closed()
    assert output["output"].startswith(answer["transcript"])
    call = vapi.calls[caller.call["id"]]
    assert call.transcript.text.splitlines()[:2] == ["AI: Hello.", "User: Hello."]
    roles = [each["role"] for each in call.transcript.messages]
    assert roles[:3] == ["system", "bot", "user"]


@pytest.mark.sound
async def test_speech_interrupts_the_assistant_and_cuts_its_transcript(vapi: VapiSimulator) -> None:
    async with calling(vapi, assistant=LONG) as caller:
        await caller.until("speech-update", status="started", role="assistant")
        await asyncio.sleep(0.8)
        await caller.speak("Hello.")
        await caller.until("user-interrupted")
        await caller.until("speech-update", status="stopped", role="assistant")
        sent = len(caller.audio)
        await caller.until("transcript", role="user", transcriptType="final")
        assert len(caller.audio) == sent
        cut = vapi.calls[caller.call["id"]].transcript.messages[1]["message"]
    assert 0 < len(cut) < len(LONG["firstMessage"]) / 2
    assert LONG["firstMessage"].startswith(cut)


@pytest.mark.sound
@pytest.mark.parametrize(("faults", "changes"), [
    (["no_interrupt"], {}), ([], {"firstMessageInterruptionsEnabled": False}),
])  # fmt: skip
async def test_a_protected_message_is_spoken_to_its_end(
    vapi: VapiSimulator, faults: list[str], changes: dict[str, Any]
) -> None:
    assistant = {**LONG, "firstMessage": "Welcome to our house. " * 2, **changes}
    async with calling(vapi, *faults, assistant=assistant) as caller:
        await caller.until("speech-update", status="started", role="assistant")
        await caller.speak("Hello.")
        await caller.until("speech-update", status="stopped", role="assistant")
        await caller.until("model-output")
    assert "user-interrupted" not in caller.kinds()
    said = [each["message"] for each in vapi.calls[caller.call["id"]].transcript.messages if each["role"] == "bot"]
    assert said[0] == assistant["firstMessage"].strip()


@pytest.mark.parametrize(("message", "reason"), [
    ({"type": "end-call"}, "manually-canceled"),
    ({"type": "hangup"}, "customer-ended-call"),
    ({"type": "say", "content": "Bye.", "endCallAfterSpoken": True}, "assistant-ended-call-after-message-spoken"),
    ({"type": "transfer", "destination": {"type": "number", "number": "+15551234567"}, "content": "One moment."},
     "assistant-forwarded-call"),
])  # fmt: skip
@pytest.mark.parametrize("by_url", [False, True])
async def test_control_messages_end_the_call(
    vapi: VapiSimulator, message: dict[str, Any], reason: str, by_url: bool
) -> None:
    async with calling(vapi) as caller:
        await caller.until("assistant.started")
        if by_url:
            assert await post(caller.call["monitor"]["controlUrl"], message, {}) == (200, {})
        else:
            await caller.send(message)
        ended = await caller.until("status-update", status="ended")
        assert (ended["endedReason"], await caller.closed()) == (reason, 1000)
    shown = (await request("GET", f"{vapi.base_url}/call/{caller.call['id']}"))[1]
    assert (shown["status"], shown["endedReason"]) == ("ended", reason)
    assert shown["artifact"]["messages"]
    assert shown["cost"] == pytest.approx(sum(each["cost"] for each in shown["costs"]))
    assert vapi.live_calls == 0


async def test_a_transfer_is_reported_before_the_end(vapi: VapiSimulator) -> None:
    destination = {"type": "number", "number": "+15551234567"}
    async with calling(vapi) as caller:
        await caller.until("assistant.started")
        await caller.send({"type": "transfer", "destination": destination})
        assert (await caller.until("transfer-update"))["destination"] == destination
        await caller.until("status-update", status="forwarding")
        await caller.closed()
    assert vapi.calls[caller.call["id"]].destination == destination


async def test_a_client_that_leaves_ends_the_call(vapi: VapiSimulator) -> None:
    async with calling(vapi) as caller:
        await caller.until("assistant.started")
    await vapi.idle()
    assert vapi.calls[caller.call["id"]].ended_reason == "customer-ended-call"


async def test_a_call_ends_at_its_maximum_duration(vapi: VapiSimulator) -> None:
    async with calling(vapi, "limit_s=1") as caller:
        ended = await caller.until("status-update", status="ended")
        assert (ended["endedReason"], await caller.closed()) == ("exceeded-max-duration", 1000)


async def test_a_message_of_the_client_is_answered(vapi: VapiSimulator) -> None:
    async with calling(vapi, "no_first_message") as caller:
        await caller.until("assistant.started")
        await caller.send({"type": "add-message", "message": {"role": "user", "content": "a tiramisu"}})
        assert (await caller.until("model-output"))["output"] == "I am sorry, I cannot help with that."


async def test_a_conversation_that_is_replayed_goes_on(vapi: VapiSimulator) -> None:
    """After a reconnect the order is known to the tools alone."""
    model = {**ASSISTANT["model"], "tools": [{"type": "function", "function": {"name": "read_back_order"}}]}
    async with calling(vapi, "no_first_message", assistant={**ASSISTANT, "model": model}) as caller:
        await caller.until("assistant.started")
        for role, content in ("user", "An espresso."), ("assistant", "One espresso. Anything else?"):
            message = {"role": role, "content": content}
            await caller.send({"type": "add-message", "message": message, "triggerResponseEnabled": False})
        await caller.send({"type": "add-message", "message": {"role": "user", "content": "That's all."}})
        call = (await caller.until("tool-calls"))["toolCallList"][0]
    assert call["function"]["name"] == "read_back_order"


async def test_a_muted_assistant_sends_no_audio(vapi: VapiSimulator) -> None:
    async with calling(vapi, "no_first_message") as caller:
        await caller.until("assistant.started")
        await caller.send({"type": "control", "control": "mute-assistant"})
        await caller.send({"type": "say", "content": "Hello."})
        await caller.until("speech-update", status="stopped")
        assert not caller.audio
        await caller.send({"type": "control", "control": "unmute-assistant"})
        await caller.send({"type": "control", "control": "say-first-message"})
        await caller.until("speech-update", status="stopped")
        assert caller.audio


async def test_only_subscribed_events_are_sent(vapi: VapiSimulator) -> None:
    assistant = {**ASSISTANT, "clientMessages": ["status-update", "end-of-call-report"]}
    async with calling(vapi, assistant=assistant) as caller:
        while not caller.audio:
            await caller.receive()
        await caller.send({"type": "end-call"})
        await caller.closed()
    assert caller.kinds() == ["status-update", "status-update", "end-of-call-report"]


async def test_invalid_messages_of_the_client_are_ignored(vapi: VapiSimulator) -> None:
    async with calling(vapi) as caller:
        await caller.until("assistant.started")
        await caller.socket.send_str("{not json")
        await caller.send({"type": "dance"})
        await caller.send({"type": "say"})
        await caller.send({"type": "end-call"})
        assert await caller.closed() == 1000


async def test_the_control_url_refuses_what_is_invalid_or_over(vapi: VapiSimulator) -> None:
    async with calling(vapi) as caller:
        await caller.until("assistant.started")
        url = caller.call["monitor"]["controlUrl"]
        assert (await post(url, {"type": "dance"}, {}))[0] == 400
        await caller.send({"type": "end-call"})
        await caller.closed()
    async with asyncio.timeout(5):
        while (await post(url, {"type": "end-call"}, {}))[0] != 404:
            await asyncio.sleep(0.01)


async def test_a_socket_opens_once(vapi: VapiSimulator) -> None:
    async with calling(vapi) as caller:
        url = caller.call["transport"]["websocketCallUrl"].replace("ws", "http", 1)
        assert (await request("GET", url))[0] == 404

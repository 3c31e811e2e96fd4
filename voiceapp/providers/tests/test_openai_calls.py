"""Calls over WebRTC at OpenAI: an offer is passed on with a secret, the call is followed by its id and hung up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from voiceapp.providers.openai.client import OpenAIClient, OpenAIError, OpenAIErrorKind
from voiceapp.simulators.openai import OpenAISimulator
from voiceapp.simulators.openai.tests.caller import Caller
from voiceapp.simulators.openai.tests.running import running_openai

SESSION = {"type": "realtime", "model": "gpt-realtime"}


@pytest.fixture
def openai() -> Iterator[OpenAISimulator]:
    with running_openai(keys=["sk-right"]) as simulator:
        yield simulator


def client_of(simulator: OpenAISimulator, *faults: str) -> OpenAIClient:
    return OpenAIClient(api_key="sk-right", base_url=simulator.fault_url(*faults))


@pytest.fixture(scope="module")
def offer() -> str:
    async def make() -> str:
        caller = Caller()
        try:
            return await caller.offer()
        finally:
            await caller.close()

    return asyncio.run(make())


def test_a_call_is_begun_by_a_secret_and_hung_up_once(openai: OpenAISimulator, offer: str) -> None:
    client = client_of(openai)
    answered = client.answer_offer(offer, secret=client.create_client_secret(SESSION).value)
    assert answered.call_id.startswith("rtc_")
    assert answered.sdp.startswith("v=0")
    assert client.side_channel_url(answered.call_id).endswith(f"/v1/realtime?call_id={answered.call_id}")
    assert openai.live_calls == 1
    assert client.hang_up(answered.call_id) is True
    assert client.hang_up(answered.call_id) is False


def test_a_wrong_secret_begins_nothing(openai: OpenAISimulator, offer: str) -> None:
    with pytest.raises(OpenAIError) as refused:
        client_of(openai).answer_offer(offer, secret="ek_wrong")
    assert refused.value.kind is OpenAIErrorKind.CREDENTIALS_REFUSED
    assert openai.live_calls == 0


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("refuse=503", OpenAIErrorKind.UNAVAILABLE), ("refuse=401", OpenAIErrorKind.CREDENTIALS_REFUSED)],
)
def test_a_hang_up_that_fails_says_why(openai: OpenAISimulator, fault: str, kind: OpenAIErrorKind) -> None:
    with pytest.raises(OpenAIError) as failed:
        client_of(openai, fault).hang_up("rtc_1")
    assert failed.value.kind is kind


def test_an_answer_without_an_id_is_none(openai: OpenAISimulator, offer: str) -> None:
    client = client_of(openai)
    secret = client.create_client_secret(SESSION).value
    with pytest.raises(OpenAIError) as malformed:
        client_of(openai, "garbage").answer_offer(offer, secret=secret)
    assert malformed.value.kind in (OpenAIErrorKind.MALFORMED_RESPONSE, OpenAIErrorKind.REFUSED)

"""Alice's organization with a key, the product over HTTP, the simulator of OpenAI, and queues of moto's server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.organizations.services import issue_key
from agents.tests.builders import make_organization
from voiceapp.providers.aws.client import aws_client
from voiceapp.simulators.openai import OpenAISimulator
from voiceapp.simulators.openai.tests.running import running_openai

OPENAI_KEY = "sk-of-these-tests"
SendRequest = Callable[..., httpx.Response]


@pytest.fixture(scope="package")
def openai_simulator() -> Iterator[OpenAISimulator]:
    with running_openai(keys=[OPENAI_KEY]) as server:
        yield server


@pytest.fixture
def aws(local_aws: str, settings: Settings) -> str:
    settings.AWS_ENDPOINT_URL = local_aws
    settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = "testing"
    settings.AWS_REGION = "us-east-1"
    return local_aws


@pytest.fixture
def queue_url(aws: str, settings: Settings) -> str:
    """An empty queue, named in the settings; what is taken from it and not deleted comes again at once."""
    name = f"sessions-{uuid4().hex}"
    url: str = aws_client("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    settings.VOICE_SESSION_QUEUE_URL = url
    return url


@pytest.fixture
def openai(openai_simulator: OpenAISimulator, settings: Settings) -> OpenAISimulator:
    settings.OPENAI_API_KEY = OPENAI_KEY
    settings.OPENAI_BASE_URL = openai_simulator.fault_url(f"tag={uuid4().hex}")
    settings.LIMIT_SESSION_CREATION = "10000/h"
    return openai_simulator


@pytest.fixture
def alices(transactional_db: None) -> Organization:
    return make_organization("Alice's", clerk_id="org_alices")


@pytest.fixture
def alices_key(alices: Organization) -> str:
    return issue_key(alices, name="website").text


@pytest.fixture
def send_request(live_server: LiveServer, openai: OpenAISimulator, alices_key: str) -> Iterator[SendRequest]:
    """POST /voice-session with Alice's key, or with whatever is given."""
    with httpx.Client(base_url=live_server.url, trust_env=False, timeout=30, verify=False) as client:

        def send(body: Any = None, *, key: str = alices_key, method: str = "POST", **headers: str) -> httpx.Response:
            """A body in bytes is sent as it is."""
            content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
            proof = {"Authorization": f"Bearer {key}"} if key else {}
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return client.request(
                method, "/voice-session", content=content, headers={"Content-Type": "application/json"} | proof | named
            )

        yield send


def on_queue(url: str) -> list[dict[str, Any]]:
    """The messages on the queue, as SQS returns them."""
    answer = aws_client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"], WaitTimeSeconds=0
    )
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    return messages

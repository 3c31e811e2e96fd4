"""The whole product over HTTP, with simulators of OpenAI, LiveKit and AWS, and a worker in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import pytest
from django.db import connections
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.organizations.services import issue_key
from agents.tests.builders import make_agent, make_menu, make_organization, make_services
from sessions.messages.outbox import outbox
from telephony.events.inbox import inbox
from telephony.tasks import process_events
from voiceapp.simulators.livekit.tests.running import name_livekit, running_livekit
from voiceapp.simulators.openai.tests.running import running_openai

OPENAI_KEY = "sk-of-these-tests"
AWS_KEY, AWS_SECRET = "AKIATEST", "a-secret-of-the-local-aws"
BUCKET = "calls-of-tests"
INTERNAL_KEY = "i" * 40
PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Product:
    """Its address, and the keys of an organization and of our own machines."""

    url: str
    organization: Organization
    key: str
    internal_key: str = INTERNAL_KEY


class Worker:
    """Processes the jobs a few times a second, and at once after a wake-up."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def wake(self, *_: object) -> None:
        self._woken.set()

    def _run(self) -> None:
        try:
            while not self._is_over:
                self._woken.wait(PAUSE_S)
                self._woken.clear()
                process_events()
                outbox.process_due()
        finally:
            connections.close_all()

    def __enter__(self) -> Worker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self.wake()
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def worker(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    worker = Worker()
    for queue in (outbox, inbox):
        monkeypatch.setattr(queue, "wake_up", worker.wake)
    with worker:
        yield worker


@pytest.fixture
def product(settings: Settings, local_aws: str, live_server: LiveServer, worker: Worker) -> Iterator[Product]:
    settings.PUBLIC_BASE_URL = live_server.url
    settings.INTERNAL_API_KEY = INTERNAL_KEY
    settings.AWS_ENDPOINT_URL = local_aws
    settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = AWS_KEY, AWS_SECRET
    settings.LIVEKIT_RECORDING_BUCKET, settings.LIVEKIT_RECORDING_REGION = BUCKET, "us-east-1"
    settings.VOICE_SESSION_QUEUE_URL = furnished(local_aws)
    settings.OPENAI_API_KEY = OPENAI_KEY
    organization = make_organization("Trattoria")
    make_menu(organization)
    make_services(organization)
    make_agent(organization)
    key = issue_key(organization, name="website").text
    webhook = f"{live_server.url}/api/voice/webhook"
    with running_openai(keys=[OPENAI_KEY]) as openai, running_livekit(webhook_urls=[webhook]) as livekit:
        settings.OPENAI_BASE_URL = openai.base_url
        name_livekit(settings, livekit.url)
        yield Product(live_server.url, organization, key)


def furnished(aws: str) -> str:
    """A bucket and a queue; the queue's URL."""
    given = {"region_name": "us-east-1", "aws_access_key_id": AWS_KEY, "aws_secret_access_key": AWS_SECRET}
    s3, sqs = (boto3.client(service, endpoint_url=aws, **given) for service in ("s3", "sqs"))
    s3.create_bucket(Bucket=BUCKET)
    url: str = sqs.create_queue(QueueName="announcements")["QueueUrl"]
    s3.close()
    sqs.close()
    return url

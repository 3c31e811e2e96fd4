"""A connected call of Alice's on a local LiveKit, a bucket in the local AWS, and the people who ask about them."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.models import Organization
from agents.services import issue_key
from agents.tests.builders import make_organization
from sessions import outbox
from sessions.models import Call
from voiceapp.api.limits import LIMITS
from voiceapp.providers.livekit import LiveKitClient
from voiceapp.tests import moto
from voiceapp.tests.livekit.running import API_KEY, API_SECRET, RunningLiveKit, running_livekit
from voiceapp.tests.providers.clerk_instance import PAGE, ClerkInstance, pem

from .asker import Asker, token_of
from .calls import ROOM, connected_call, talk

BUCKET = "calls-of-tests"
AWS_KEY, AWS_SECRET = "AKIATEST", "a-secret-of-the-local-aws"


@pytest.fixture(scope="session")
def local_aws() -> Iterator[str]:
    with moto.running() as address:
        client = boto3.client(
            "s3",
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id=AWS_KEY,
            aws_secret_access_key=AWS_SECRET,
        )
        client.create_bucket(Bucket=BUCKET)
        client.close()
        yield address


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The topics for which the worker would have been woken: none runs here."""
    topics: list[str] = []
    monkeypatch.setattr(outbox, "wake_up", topics.append)
    return topics


@pytest.fixture
def livekit(settings: Settings) -> Iterator[RunningLiveKit]:
    with running_livekit() as running:
        settings.LIVEKIT_HOST = settings.LIVEKIT_INTERNAL_URL = running.url
        settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET = API_KEY, API_SECRET
        settings.LIVEKIT_RECORDING_BUCKET, settings.LIVEKIT_RECORDING_REGION = BUCKET, "eu-west-1"
        settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = AWS_KEY, AWS_SECRET
        settings.AWS_ENDPOINT_URL = ""
        yield running


@pytest.fixture
def stored(livekit: RunningLiveKit, local_aws: str, settings: Settings) -> str:
    """Recordings go to the local AWS; its address."""
    settings.AWS_ENDPOINT_URL = local_aws
    return local_aws


@pytest.fixture
def client(livekit: RunningLiveKit) -> LiveKitClient:
    return LiveKitClient(url=livekit.url, api_key=API_KEY, api_secret=API_SECRET)


@pytest.fixture
def harbour(db: None) -> Organization:
    return make_organization("Harbour", clerk_id="org_harbour")


@pytest.fixture
def meadow(db: None) -> Organization:
    return make_organization("Meadow", clerk_id="org_meadow")


@pytest.fixture
def call(harbour: Organization, livekit: RunningLiveKit, client: LiveKitClient) -> Call:
    """Connected, its room open, a caller speaking in it."""
    client.create_room(ROOM)
    talk(livekit, client)
    return connected_call(harbour)


@pytest.fixture
def clerk(settings: Settings) -> ClerkInstance:
    for limit in LIMITS:
        setattr(settings, limit.setting, "10000/h")
    instance = ClerkInstance()
    settings.CLERK_ISSUER, settings.CLERK_JWT_KEY = instance.issuer, pem("ins_first")
    settings.CLERK_AUTHORIZED_PARTIES = [PAGE]
    return instance


@pytest.fixture
def alice(live_server: LiveServer, clerk: ClerkInstance, harbour: Organization) -> Iterator[Asker]:
    """It is her call; in her organisation she is a member like others."""
    with Asker(live_server.url, token_of(clerk, "user_alice", harbour)) as asker:
        yield asker


@pytest.fixture
def bob(live_server: LiveServer, clerk: ClerkInstance, harbour: Organization) -> Iterator[Asker]:
    with Asker(live_server.url, token_of(clerk, "user_bob", harbour)) as asker:
        yield asker


@pytest.fixture
def mia(live_server: LiveServer, clerk: ClerkInstance, harbour: Organization) -> Iterator[Asker]:
    """Manages Harbour."""
    with Asker(live_server.url, token_of(clerk, "user_mia", harbour, role="admin")) as asker:
        yield asker


@pytest.fixture
def charlie(live_server: LiveServer, clerk: ClerkInstance, meadow: Organization) -> Iterator[Asker]:
    """Manages Meadow, and is nobody in Harbour."""
    with Asker(live_server.url, token_of(clerk, "user_charlie", meadow, role="admin")) as asker:
        yield asker


@pytest.fixture
def website(live_server: LiveServer, clerk: ClerkInstance, harbour: Organization) -> Iterator[Asker]:
    """Harbour's own software, with a key for everything."""
    with Asker(live_server.url, issue_key(harbour, name="website").text) as asker:
        yield asker

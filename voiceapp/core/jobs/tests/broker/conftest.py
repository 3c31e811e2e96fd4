"""Each broker as the environment of a worker, and an order to deliver."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings

from sessions.messages.models import OutboxMessage
from sessions.tests.builders import Phone, make_restaurant
from voiceapp.simulators.aws.tests.running import running_aws
from voiceapp.tests import servers
from voiceapp.tests.worker import folder_broker, whole

from .kitchen import Kitchen, cooking

Environment = dict[str, str]
Submit = Callable[[], OutboxMessage]


@pytest.fixture(scope="package")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="package")
def rabbitmq_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture(scope="package")
def moto_url() -> Iterator[str]:
    with running_aws() as url:
        yield url


@pytest.fixture(
    params=[
        *(pytest.param(each, marks=pytest.mark.embedded) for each in ("folder", "sqs")),
        *(pytest.param(each, marks=pytest.mark.servers) for each in ("redis", "rabbitmq")),
    ]
)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Environment:
    """A worker's environment. It names a simulator, so that orders may be posted to a kitchen on this machine."""
    local = {"SIMULATORS": "twilio"}
    if request.param == "folder":
        return local | {"CELERY_BROKER_URL": folder_broker(tmp_path)}
    if request.param == "sqs":
        return local | {
            "CELERY_BROKER_URL": "sqs://",
            "AWS_ENDPOINT_URL": request.getfixturevalue("moto_url"),
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "PROJECT_NAME": f"test{uuid4().hex[:8]}",
        }
    return local | {"CELERY_BROKER_URL": request.getfixturevalue(f"{request.param}_server").url}


@pytest.fixture
def kitchen() -> Iterator[Kitchen]:
    with cooking() as kitchen:
        yield kitchen


@pytest.fixture
def submit(kitchen: Kitchen, transactional_db: None) -> Submit:
    """Submit an order; its message to the kitchen. No worker is woken for it."""

    def now() -> OutboxMessage:
        _, call = make_restaurant(f"Alice's {uuid4().hex[:6]}", orders_url=kitchen.url)
        phone = Phone(call.pk)
        phone.add("Tiramisu")
        phone.agrees()
        return OutboxMessage.objects.get(partition_key__endswith=f"|call:{call.pk}")

    return now


@pytest.fixture
def send(broker: Environment) -> Callable[..., None]:
    """Send a task over that broker, from a process with the settings of the web's."""

    def now(name: str, *arguments: str) -> None:
        code = f"from voiceapp.celery import app; app.send_task({name!r}, args={list(arguments)!r}, expires=60)"
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=settings.BASE_DIR,
            env=whole(broker),
            check=True,
        )

    return now

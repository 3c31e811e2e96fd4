"""`/health/ready`: red while stopping, or when something that a call needs is down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError
from django.conf import settings
from django.test import Client
from kombu.exceptions import OperationalError
from pytest_django import Settings

from voiceapp import readiness
from voiceapp.core.serving import serving
from voiceapp.readiness import Check
from voiceapp.simulators.aws.tests.running import running_aws

NAMES = {"database", "migrations", "cache", "queue"}


def broken() -> None:
    raise ConnectionError("postgres://user:password@secret-host refused")


def with_checks(monkeypatch: pytest.MonkeyPatch, **probes: Callable[[], None]) -> None:
    made = [Check(name, probe) for name, probe in probes.items()]
    monkeypatch.setattr(readiness, "checks", lambda: made)


def fullness(live_calls: int) -> dict[str, int]:
    return {"liveCalls": live_calls, "maxLiveCalls": settings.MAX_LIVE_CALLS}


@pytest.fixture(autouse=True)
def no_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "live_calls", 0)


@pytest.mark.django_db(transaction=True)
def test_all_is_well_with_the_defaults(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "TIMEOUT_S", 20)  # the machine under test may be busy
    response = client.get("/health/ready")
    assert response.json() == {"status": "ready", "checks": dict.fromkeys(NAMES, "ok")} | fullness(0)
    assert response.status_code == 200


def test_a_stopping_process_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with_checks(monkeypatch, database=lambda: None)
    monkeypatch.setattr(serving, "is_draining", True)
    response = client.get("/health/ready")
    assert (response.status_code, response.json()["status"]) == (503, "draining")


def test_a_full_process_is_not_ready_until_a_call_ends(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    with_checks(monkeypatch, database=lambda: None)
    settings.MAX_LIVE_CALLS = 3
    for live_calls, status, code in ((2, "ready", 200), (3, "full", 503), (2, "ready", 200)):
        monkeypatch.setattr(serving, "live_calls", live_calls)
        response = client.get("/health/ready")
        assert response.json() == {"status": status, "checks": {"database": "ok"}} | fullness(live_calls)
        assert response.status_code == code


def test_what_is_down_is_named_and_nothing_of_its_error_is_shown(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_checks(monkeypatch, database=broken, cache=lambda: None)
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json() == {"status": "not ready", "checks": {"database": "down", "cache": "ok"}} | fullness(0)
    assert b"password" not in response.content


def test_what_hangs_is_down_after_a_second_and_is_not_checked_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, checked = threading.Event(), []

    def hang() -> None:
        checked.append(1)
        released.wait(60)

    with_checks(monkeypatch, database=hang, cache=lambda: None)
    monkeypatch.setattr(readiness, "TIMEOUT_S", 0.2)
    began = time.monotonic()
    for _ in range(2):
        assert client.get("/health/ready").json()["checks"] == {"database": "down", "cache": "ok"}
    assert time.monotonic() - began < 10
    assert len(checked) == 1
    released.set()


def test_missing_migrations_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Behind:
        def __init__(self, _: object) -> None:
            self.loader = self
            self.graph = self

        def leaf_nodes(self) -> list[tuple[str, str]]:
            return [("agents", "0002_next")]

        def migration_plan(self, targets: object) -> object:
            return targets

    readiness.check_migrations.cache_clear()
    monkeypatch.setattr(readiness, "MigrationExecutor", Behind)
    with pytest.raises(RuntimeError, match="migrations are missing"):
        readiness.check_migrations()


def test_a_queue_folder_that_is_gone_is_noticed(settings: Settings, tmp_path: Path) -> None:
    settings.CELERY_BROKER_URL = "filesystem://"
    settings.QUEUE_DIR = tmp_path / "gone"
    with pytest.raises(RuntimeError, match="folder"):
        readiness.check_queue()
    settings.QUEUE_DIR = tmp_path
    readiness.check_queue()


def test_a_cache_that_forgets_is_noticed(settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    with pytest.raises(RuntimeError, match="cache"):
        readiness.check_cache()


def test_a_broker_that_does_not_listen_is_noticed(settings: Settings) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 1, "socket_connect_timeout": 1}
    began = time.monotonic()
    with pytest.raises(OperationalError):
        readiness.check_queue()
    assert time.monotonic() - began < 30  # it is not tried again and again


def test_an_sqs_that_does_not_answer_is_noticed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CELERY_BROKER_URL = "sqs://key:secret@"
    config = {"connect_timeout": 1, "read_timeout": 1, "retries": {"total_max_attempts": 1}}
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"region": "us-east-1", "client-config": config}
    with running_aws() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        readiness.check_queue()
    with pytest.raises((OperationalError, BotoCoreError)):
        readiness.check_queue()

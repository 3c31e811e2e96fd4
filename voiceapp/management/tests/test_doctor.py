"""What the doctor finds, says and never says."""

from __future__ import annotations

import json
import threading
import time
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.configuration.models import Agent
from sessions.messages.models import OutboxMessage
from sessions.tests.builders import make_endpoint
from voiceapp.management.demo.organization import make_demo
from voiceapp.management.doctor import examination, product, providers
from voiceapp.management.doctor.examination import CHECKS, examine
from voiceapp.management.doctor.finding import Finding, failed, passed, skipped
from voiceapp.management.doctor.report import Report, request_report
from voiceapp.simulators.openai.tests.running import running_openai
from voiceapp.simulators.vapi.tests.running import running_vapi

SECRETS = {
    "OPENAI_API_KEY": "sk-very-secret-1",
    "VAPI_API_KEY": "very-secret-4",
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "very-secret-2",
    "INTERNAL_API_KEY": "very-secret-3-" + "x" * 30,
}
# Nothing listens on the discard port.
NOWHERE = "http://127.0.0.1:9"


def run(monkeypatch: pytest.MonkeyPatch, *findings: Finding, as_json: bool = False) -> tuple[int, str]:
    checks = [(finding.name, lambda finding=finding: finding) for finding in findings]
    monkeypatch.setattr("voiceapp.management.commands.doctor.make_report", lambda: Report("", examine(checks)))
    out = StringIO()
    try:
        call_command("doctor", *(["--json"] if as_json else []), stdout=out)
    except SystemExit as exc:
        return int(str(exc.code)), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.django_db
def test_findings_are_printed_with_their_fix_and_decide_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    status, text = run(monkeypatch, passed("cache", "fine"), skipped("speech", "not needed"))
    assert (status, text.splitlines()[0]) == (0, "✓ cache   fine")
    status, text = run(monkeypatch, passed("cache", "fine"), failed("queue", "gone", "Start it."))
    assert status == 1
    assert "✗ queue  gone\n         → Start it." in text


@pytest.mark.django_db
def test_json_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    status, text = run(monkeypatch, failed("queue", "gone", "Start it."), as_json=True)
    assert status == 1
    assert json.loads(text) == {
        "ok": False,
        "source": "",
        "checks": [{"name": "queue", "is_well": False, "detail": "gone", "fix": "Start it."}],
    }


@pytest.fixture
def far_away(settings: Settings) -> None:
    for name, secret in SECRETS.items():
        setattr(settings, name, secret)
    settings.OPENAI_BASE_URL = f"{NOWHERE}/v1"
    settings.TWILIO_BASE_URL = settings.VAPI_BASE_URL = NOWHERE
    settings.PUBLIC_BASE_URL = NOWHERE


@pytest.mark.usefixtures("far_away")
@pytest.mark.parametrize("check", [
    providers.check_openai, providers.check_vapi, providers.check_twilio, providers.check_public_address,
])  # fmt: skip
def test_a_provider_that_does_not_answer_is_an_error_and_its_key_is_not_printed(check: examination.Check) -> None:
    finding = check()
    assert finding.is_well is False
    assert finding.fix
    for secret in SECRETS.values():
        assert secret not in f"{finding}"


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "TWILIO_AUTH_TOKEN", "INTERNAL_API_KEY"])
def test_a_missing_key_is_named(name: str, settings: Settings) -> None:
    setattr(settings, name, "")
    settings.OPENAI_BASE_URL = settings.TWILIO_BASE_URL = NOWHERE
    findings = [providers.check_openai(), providers.check_twilio(), product.check_internal_key()]
    assert any(finding.is_well is False and name in finding.detail for finding in findings)


def test_the_key_and_the_model_of_openai_come_first_and_what_is_missing_is_said(settings: Settings) -> None:
    assert CHECKS[0] == ("openai", providers.check_openai)
    with running_openai(keys=["right"]) as openai:
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = openai.base_url, "right"
        assert providers.check_openai().is_well, providers.check_openai()
        settings.OPENAI_REALTIME_MODEL = "gpt-of-tomorrow"
        missing = providers.check_openai()
        assert "accepts the key, but has no model gpt-of-tomorrow" in missing.detail
        assert "OPENAI_REALTIME_MODEL" in missing.fix
        settings.OPENAI_API_KEY = "wrong"
        refused = providers.check_openai()
        assert "returns 401: it refuses the key" in refused.detail
        assert refused.fix == "Check OPENAI_API_KEY."


def test_the_key_and_the_assistant_of_vapi_are_checked(settings: Settings) -> None:
    assert providers.check_vapi().is_well is None
    with running_vapi(keys=["right"]) as vapi:
        settings.VAPI_BASE_URL, settings.VAPI_API_KEY = vapi.base_url, "right"
        assert providers.check_vapi().is_well, providers.check_vapi()
        settings.VAPI_ASSISTANT_ID = "another"
        assert "has no assistant another" in providers.check_vapi().detail
        settings.VAPI_API_KEY = "wrong"
        assert "returns 401" in providers.check_vapi().detail


def test_a_check_that_hangs_or_breaks_is_a_finding_and_delays_no_other() -> None:
    goes_on = threading.Event()

    def hangs() -> Finding:
        goes_on.wait(60)
        return passed("hangs", "")

    def breaks() -> Finding:
        raise ConnectionError("redis://:password@host")

    began = time.monotonic()
    findings = examine([("hangs", hangs), ("cache", breaks)], timeout_s=0.1)
    goes_on.set()
    assert time.monotonic() - began < 30
    assert [finding.is_well for finding in findings] == [False, False]
    assert findings[1].detail == "ConnectionError"
    assert "REDIS_URL" in findings[1].fix


@pytest.mark.django_db
def test_the_system_is_healthy_after_seeding_and_reports_problems() -> None:
    assert product.check_agents().is_well is False
    demo = make_demo()
    for check in (product.check_agents, product.check_outbox, product.check_static_files):
        assert check().is_well, check
    Agent.objects.update(published_version=None)
    assert demo.number.number in product.check_agents().detail
    OutboxMessage.objects.create(topic="order.submitted", partition_key="k", body={}, state="failed")
    assert product.check_outbox().detail == "1 failed"
    endpoint = make_endpoint(demo.organization)
    type(endpoint).objects.update(paused_at=timezone.now(), pause_reason="It responded 410 Gone.")
    assert product.check_outbox().detail == "paused after days of failures: Kitchen of Bella Napoli"


@pytest.mark.django_db(transaction=True)
def test_the_database_is_looked_at_from_its_own_thread() -> None:
    (finding,) = examine([("database", product.check_database)])
    assert finding.is_well, finding


def test_every_integration_is_looked_at() -> None:
    assert {name for name, _ in CHECKS} == {
        "database", "cache", "queue", "worker", "outbox", "openai", "vapi", "twilio", "webhooks", "numbers",
        "public address", "internal key", "simulators", "static files", "speech",
        "livekit", "room agents", "recordings", "announcements", "records", "secret", "mail", "menus",
    }  # fmt: skip


def test_the_process_of_a_public_host_reports_to_a_terminal_on_its_machine(
    live_server: LiveServer, settings: Settings
) -> None:
    settings.INTERNAL_API_KEY = SECRETS["INTERNAL_API_KEY"]
    settings.PUBLIC_BASE_URL, settings.ALLOWED_HOSTS = "https://voice.example.com", ["voice.example.com"]
    found = {finding.name: finding for finding in request_report(live_server.url)}
    assert found["database"].is_well

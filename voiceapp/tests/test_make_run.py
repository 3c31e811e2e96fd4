"""`make run`: which companies are played, what the product is told of them, and that what dies is started again."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from voiceapp.local_companies import LocalCompany, missing_companies
from voiceapp.supervisor import MOST_RESTARTS, ChildFailed, Supervisor
from voiceapp.tests.worker import until

ALL = ["openai", "twilio", "livekit", "aws"]
TOLD = {"PUBLIC_BASE_URL": "http://127.0.0.1:8080", "PROJECT_NAME": "voiceapp", "ENVIRONMENT": "dev"}
KEYS = {
    "openai": ["OPENAI_API_KEY"],
    "twilio": ["TWILIO_AUTH_TOKEN"],
    "livekit": ["LIVEKIT_HOST", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"],
    "aws": ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "VOICE_SESSION_QUEUE_URL"],
}


@pytest.fixture
def no_keys(settings: Settings) -> Settings:
    for name in [*(key for keys in KEYS.values() for key in keys), "LIVEKIT_RECORDING_BUCKET"]:
        setattr(settings, name, "")
    return settings


def played() -> dict[str, LocalCompany]:
    return {company.name: company for company in missing_companies(TOLD)}


def test_without_a_key_every_company_is_played(no_keys: Settings) -> None:
    assert list(played()) == ALL


@pytest.mark.parametrize("name", ALL)
def test_a_company_with_its_keys_is_not_played(no_keys: Settings, name: str) -> None:
    for key in KEYS[name] if name == "livekit" else KEYS[name][:1]:
        setattr(no_keys, key, "https://real.example.com")
    assert list(played()) == [other for other in ALL if other != name]


@pytest.mark.parametrize("key", KEYS["aws"])
def test_anything_that_names_an_aws_is_enough_for_it_not_to_be_played(no_keys: Settings, key: str) -> None:
    setattr(no_keys, key, "https://real.example.com")
    assert "aws" not in played()


def test_livekit_is_played_unless_all_of_its_keys_are_there(no_keys: Settings) -> None:
    no_keys.LIVEKIT_HOST = "wss://real.example.com"
    assert "livekit" in played()


def test_the_product_is_told_where_the_companies_are_and_by_which_keys(no_keys: Settings) -> None:
    companies = played()
    aws = companies["aws"].described("http://127.0.0.1:9400")
    assert aws["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9400"
    assert aws["VOICE_SESSION_QUEUE_URL"] == "http://127.0.0.1:9400/123456789012/voiceapp-dev-voice-sessions"
    assert aws["VOICE_SESSION_TABLE"] == "voiceapp-dev-voice-sessions"
    assert aws["LIVEKIT_RECORDING_BUCKET"] == "voiceapp-dev-recordings"
    assert {"--queue", "--table", "--bucket"} <= set(companies["aws"].arguments)
    livekit = companies["livekit"].described("http://127.0.0.1:9300")
    assert (livekit["LIVEKIT_HOST"], livekit["LIVEKIT_INTERNAL_URL"]) == (
        "ws://127.0.0.1:9300",
        "http://127.0.0.1:9300",
    )
    assert len(livekit["LIVEKIT_API_SECRET"]) >= 32
    assert companies["livekit"].needs["LIVEKIT_WEBHOOK_URL"] == "http://127.0.0.1:8080/api/voice/webhook"
    assert not any(
        secret in " ".join(company.arguments) for company in companies.values() for secret in livekit.values()
    )


def test_a_real_livekit_is_not_told_of_a_bucket_that_it_cannot_reach(no_keys: Settings) -> None:
    for key in KEYS["livekit"]:
        setattr(no_keys, key, "wss://real.example.com")
    assert "LIVEKIT_RECORDING_BUCKET" not in played()["aws"].described("http://127.0.0.1:9400")


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(os.environ, tmp_path)
    yield supervisor
    supervisor.stop()


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


def is_alive(pid: int) -> bool:
    """Dead and not yet buried is dead."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_what_is_killed_is_started_again_without_what_it_left_behind(supervisor: Supervisor, tmp_path: Path) -> None:
    left = tmp_path / "left"
    code = (
        "import pathlib, subprocess, time\n"
        "one = subprocess.Popen(['sleep', '60'])\n"
        f"pathlib.Path({str(left)!r}).write_text(str(one.pid) + ' ')\n"
        "time.sleep(60)"
    )
    child = supervisor.start("child", ["-c", code])
    until(lambda: left.exists() and left.read_text().endswith(" "))
    first, orphan = child.process.pid, int(left.read_text())
    assert supervisor.revive() == []
    os.kill(first, signal.SIGKILL)
    until(lambda: has_ended(child.process))
    assert is_alive(orphan)
    assert supervisor.revive() == ["child ended with status -9; it is started again."]
    assert child.process.pid != first
    until(lambda: not is_alive(orphan), within_s=5)


def test_what_keeps_ending_is_given_up_with_the_end_of_its_log(supervisor: Supervisor) -> None:
    child = supervisor.start("broken", ["-c", "raise SystemExit('no such table')"])
    for _ in range(MOST_RESTARTS):
        until(lambda: has_ended(child.process))
        assert supervisor.revive()
    until(lambda: has_ended(child.process))
    with pytest.raises(ChildFailed, match="no such table"):
        supervisor.revive()


def test_the_product_ends_before_what_it_needs(supervisor: Supervisor, tmp_path: Path) -> None:
    code = (
        "import pathlib, signal, sys, time\n"
        f"def end(*_): pathlib.Path({str(tmp_path / 'ended')!r}).open('a').write(sys.argv[1] + ' '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('listening on http://x', flush=True)\n"
        "time.sleep(60)"
    )
    for name, is_needed in (("company", True), ("web", False), ("kitchen", True)):
        supervisor.wait_for_line(supervisor.start(name, ["-c", code, name], is_needed_by_others=is_needed))
    supervisor.stop()
    ended = (tmp_path / "ended").read_text().split()
    assert ended[0] == "web"
    assert set(ended[1:]) == {"company", "kitchen"}

"""`manage.py run`: what it prints, a taken port, a full disk, and a start that fails."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from pytest_django import Settings

from agents.organizations.services import find_key
from agents.tests.builders import make_organization
from telephony.live.tests.browser import page
from voiceapp.management.commands.run import (
    Command,
    Stopped,
    demo_admin,
    handle_stop_signals,
    manage_command,
    only_one,
    replace_demo_key,
    why_not_ring,
    write_secrets,
)
from voiceapp.management.running.supervisor import STOP_SIGNALS, Ports
from voiceapp.simulators.openai import OpenAISimulator
from voiceapp.simulators.openai.tests.running import running_openai

pytestmark = [pytest.mark.waits, pytest.mark.embedded]

KEY = "sk-of-whoever-runs-it"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port at which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize(
    ("call", "simulators", "says"),
    [
        ("once", ["openai", "twilio"], ""),
        ("once", ["twilio"], "OpenAI is the real one, and bills each call: talk to it in the browser"),
        ("only", ["twilio"], ""),
        ("once", ["openai"], "Twilio is the real one"),
        ("none", [], ""),
    ],
)
def test_the_simulated_phone_does_not_ring_a_provider_that_bills_it(
    call: str, simulators: list[str], says: str
) -> None:
    assert why_not_ring(call, simulators).startswith(says)
    assert bool(why_not_ring(call, simulators)) == bool(says)


def environment_of(folder: Path, **environment: str) -> dict[str, str]:
    whole = os.environ | {
        "VAR_DIR": str(folder), "SECRET_KEY": "s" * 50, "INTERNAL_API_KEY": "i" * 40, "DATABASE_URL": "",
        "CELERY_BROKER_URL": "", "REDIS_URL": "",
    } | environment  # fmt: skip
    for name in ("DATABASE_URL", "CELERY_BROKER_URL", "REDIS_URL"):
        whole.pop(name) if not whole[name] else None
    return whole


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "run", "--call", "none"],
        env=environment_of(folder, **environment),
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_port_that_is_taken_is_reported_with_what_to_do(taken: int, tmp_path: Path) -> None:
    done = run(tmp_path, PORT=str(taken))
    assert done.returncode == 1
    assert f"Port {taken} is taken by another program. Choose another one: make run PORT=" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_one_in_the_same_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    serving = tmp_path / "run.json"
    serving.write_text("{}")
    with only_one(tmp_path):
        done = run(tmp_path)
    assert done.returncode == 1
    assert f"`make run` is running already, with the data in {tmp_path}." in done.stderr
    assert "Traceback" not in done.stderr
    assert serving.exists()
    with only_one(tmp_path):
        pass


def test_secrets_replace_the_empty_lines_of_a_copied_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "")
    monkeypatch.delenv("INTERNAL_API_KEY", raising=False)
    path = tmp_path / ".env"
    path.write_text("# Signs cookies\nSECRET_KEY=\nPORT=8081\n#INTERNAL_API_KEY=\n")
    made = write_secrets(path)
    assert path.read_text().splitlines() == [
        "# Signs cookies", "PORT=8081", "#INTERNAL_API_KEY=", f"SECRET_KEY={made['SECRET_KEY']}",
        f"INTERNAL_API_KEY={made['INTERNAL_API_KEY']}",
    ]  # fmt: skip
    assert path.stat().st_mode & 0o777 == 0o600
    assert write_secrets(path) == {}
    assert [each.name for each in tmp_path.iterdir()] == [".env"]


def test_the_children_reach_each_other_whatever_proxy_and_hosts_are_set(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.PORT, settings.ALLOWED_HOSTS = 0, ["voice.example.com", "localhost"]
    for name in ("SECRET_KEY", "INTERNAL_API_KEY"):
        monkeypatch.setenv(name, "x" * 50)
    monkeypatch.setenv("NO_PROXY", "internal.example.com")
    ports = Ports()
    environment = Command().environment(ports)
    ports.release()
    assert environment["ALLOWED_HOSTS"] == "voice.example.com,localhost,127.0.0.1"
    assert environment["NO_PROXY"] == environment["no_proxy"] == "internal.example.com,127.0.0.1,localhost"


def test_commands_for_another_terminal_name_what_is_not_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VAR_DIR", "PORT"):
        monkeypatch.delenv(name, raising=False)
    assert manage_command() == ".venv/bin/python manage.py"
    monkeypatch.setenv("PORT", "8080")
    monkeypatch.setenv("VAR_DIR", "var/second")
    assert manage_command() == "VAR_DIR=var/second .venv/bin/python manage.py"
    monkeypatch.setenv("PORT", "8090")
    assert manage_command() == "VAR_DIR=var/second PORT=8090 .venv/bin/python manage.py"


def test_a_closed_terminal_stops_everything_once_unless_nohup_says_otherwise() -> None:
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        handle_stop_signals(Command().on_signal)
        with pytest.raises(Stopped):
            signal.raise_signal(signal.SIGHUP)
        # A second one has no effect: it would interrupt the stop.
        signal.raise_signal(signal.SIGINT)
        handle_stop_signals(Command().on_signal)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_serve_names_the_address_that_it_cannot_listen_at(taken: int, settings: Settings) -> None:
    with pytest.raises(CommandError, match=rf"127.0.0.1, port {taken}: Address already in use. .*make serve PORT="):
        call_command("serve", host="127.0.0.1", port=taken)
    settings.METRICS_LISTEN = f"127.0.0.1:{taken}"
    with pytest.raises(CommandError, match=rf"METRICS_LISTEN=127.0.0.1:{taken}: Address already in use."):
        call_command("serve", host="127.0.0.1", port=0)


def test_a_start_that_fails_makes_no_password_and_no_key(taken: int, tmp_path: Path) -> None:
    """They are printed at the end of a start that succeeds, and only hashes are stored."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The web process cannot start: its listener for metrics is taken.
    done = run(tmp_path, PORT=str(port), METRICS_LISTEN=f"127.0.0.1:{taken}")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "web ended with status 1" in done.stderr
    with sqlite3.connect(tmp_path / "voiceapp.sqlite3") as database:
        counts = [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in
                  ("auth_user WHERE is_superuser OR password NOT LIKE '!%'", "agents_apikey",
                   "agents_organization")]  # fmt: skip
    database.close()
    assert counts == [0, 0, 2]  # the restaurant and the garage


def test_a_full_disk_is_reported_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        done = run(folder, PORT=str(port))
    finally:
        subprocess.run(["umount", folder], check=True)
    assert done.returncode == 1
    assert f"No space is left on the disk that holds {folder}. Free some, or set VAR_DIR" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.django_db
def test_each_start_has_one_key_that_works() -> None:
    """The key of the start before is gone: keys do not pile up, and the one that works is printed."""
    organization = make_organization("Bella")
    first, second = replace_demo_key(str(organization.pk)), replace_demo_key(str(organization.pk))
    assert (find_key(first), find_key(second) is not None) == (None, True)
    assert organization.api_keys.count() == 1


@pytest.mark.django_db
def test_the_admin_of_the_demo_has_no_password_until_one_is_set() -> None:
    assert not demo_admin().has_usable_password()
    user = demo_admin()
    user.set_password("chosen later")
    user.save()
    assert demo_admin().check_password("chosen later")


@pytest.fixture
def openai() -> Iterator[OpenAISimulator]:
    """In the place of the real one, so that no account is needed."""
    with running_openai(keys=[KEY]) as simulator:
        yield simulator


async def talk(base: str, token: str) -> None:
    """A visitor calls on the page until the agent is heard, and hangs up."""
    async with page(base, slug="bella-napoli", visitor=token) as browser:
        await browser.dial()
        await browser.caller.hears(300)
        await browser.send("end")
        assert (await browser.ended())["endReason"] == "caller_hung_up"


def test_with_a_key_of_openai_alone_a_start_leads_to_a_page_that_talks_to_it(
    tmp_path: Path, openai: OpenAISimulator
) -> None:
    """And it prints a link and a key of our own that work."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "manage.py", "run", "--call", "none"]
    environment = environment_of(tmp_path, PORT=str(port), OPENAI_API_KEY=KEY, OPENAI_BASE_URL=openai.base_url)
    with subprocess.Popen(
        command, env=environment, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            printed = "".join(iter(process.stdout.readline, "\nServing. Ctrl-C stops everything.\n"[1:]))
            assert re.search(r"simulated providers \((?!.*openai).*twilio", printed), printed
            base = f"http://127.0.0.1:{port}"
            assert f"Talk to it    {base}/call/bella-napoli" in printed
            with httpx.Client(trust_env=False, timeout=20) as client:
                report = client.get(f"{base}/health/report", headers={"Authorization": f"Bearer {'i' * 40}"}).json()
                first = report["checks"][0]
                assert (first["name"], first["is_well"]) == ("openai", True), first
                token = re.search('data-visitor-token="([^"]+)"', client.get(f"{base}/call/bella-napoli").text)
                assert token
                asyncio.run(talk(base, token[1]))
                link = re.search(r"Sign in +(http\S+)", printed)
                assert link, printed
                assert [client.get(link[1]).status_code for _ in range(2)] == [302, 403]
                assert client.get(f"{base}/admin/").status_code == 200
                key = re.search(r"API key +(va_\S+)", printed)
                assert key, printed
                made = client.post(f"{base}/voice-session", json={}, headers={"X-API-Key": key[1]})
                assert made.status_code == 200, made.text
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
    assert "password" in printed

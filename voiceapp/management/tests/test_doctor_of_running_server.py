"""`manage.py doctor` beside a running product: it queries the serving process and never blocks for long."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from voiceapp.management.doctor.report import PATH
from voiceapp.tests.worker import until

pytestmark = [pytest.mark.waits, pytest.mark.embedded]

KEY = "k" * 40
BOUND_S = 10.0


@pytest.fixture(scope="module")
def hanging() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        yield f"http://127.0.0.1:{silent.getsockname()[1]}"


@dataclass(frozen=True, slots=True)
class Product:
    address: str
    folder: Path

    def doctor(self, **environment: str) -> dict[str, object]:
        """What the command says in a terminal that knows no key but the internal one."""
        port = self.address.rpartition(":")[2]
        done = subprocess.run(
            [sys.executable, "manage.py", "doctor", "--json"], cwd=settings.BASE_DIR, capture_output=True, text=True,
            env=base(self.folder) | {"PORT": port, "INTERNAL_API_KEY": KEY} | environment, timeout=60, check=False,
        )  # fmt: skip
        said: dict[str, object] = json.loads(done.stdout)
        assert done.returncode == (0 if said["ok"] else 1)
        return said


def base(folder: Path) -> dict[str, str]:
    return os.environ | {
        "VAR_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}", "REDIS_URL": "",
        "HOST": "127.0.0.1",
        "CELERY_BROKER_URL": f"filesystem://{folder}/queue", "SECRET_KEY": "s" * 50, "INTERNAL_API_KEY": "",
        "OPENAI_API_KEY": "", "TWILIO_AUTH_TOKEN": "", "TWILIO_ACCOUNT_SID": "", "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }  # fmt: skip


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, hanging: str) -> Iterator[Product]:
    """For all tests, which only look: a web process whose keys no terminal has, and whose providers hang."""
    keys = {
        "INTERNAL_API_KEY": KEY, "OPENAI_API_KEY": "sk-of-the-process", "OPENAI_BASE_URL": f"{hanging}/v1",
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32, "TWILIO_AUTH_TOKEN": "t" * 32, "TWILIO_BASE_URL": hanging,
        "LIVEKIT_HOST": hanging, "LIVEKIT_API_KEY": "APIkey", "LIVEKIT_API_SECRET": "s" * 40,
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("product")
    manage, environment, out = [sys.executable, "manage.py"], base(folder) | keys, folder / "out"
    subprocess.run([*manage, "migrate", "-v", "0"], env=environment, cwd=settings.BASE_DIR, check=True, stderr=-3)
    with out.open("wb") as lines:
        process = subprocess.Popen(
            [*manage, "serve", "--port", "0"], env=environment, cwd=settings.BASE_DIR, stdout=lines, stderr=-3
        )
        try:
            until(lambda: "listening on" in out.read_text(), within_s=60)
            yield Product(out.read_text().strip().rpartition(" ")[2], folder)
        finally:
            process.terminate()
            process.wait(15)


def details(said: dict[str, object]) -> dict[str, str]:
    checks = said["checks"]
    assert isinstance(checks, list)
    return {check["name"]: check["detail"] for check in checks}


def test_it_queries_the_process_that_serves_and_does_not_wait_for_what_hangs(product: Product) -> None:
    began = time.monotonic()
    response = httpx.get(product.address + PATH, headers={"Authorization": f"Bearer {KEY}"}, timeout=60)
    assert time.monotonic() - began < BOUND_S
    assert response.status_code == 200
    said = product.doctor()
    assert said["source"] == product.address
    found = details(said)
    # The terminal has no key of OpenAI's or Twilio's: what is found is the process's own.
    assert "does not respond" in found["openai"] or "no response" in found["openai"]
    assert "not set" not in found["openai"] + found["twilio"] + found["livekit"]
    assert "sk-of-the-process" not in json.dumps(said)


def test_without_a_process_it_looks_at_its_own_settings_and_says_so(product: Product) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        said = product.doctor(PORT=str(free.getsockname()[1]))
    assert said["source"] == ""
    assert "the settings of this terminal" in details(said)["web process"]
    assert "not set" in details(said)["openai"]


def test_another_program_at_the_port_is_reported(product: Product, hanging: str) -> None:
    said = product.doctor(PORT=hanging.rpartition(":")[2])
    assert said["source"] == ""
    assert "does not respond in time" in details(said)["web process"]


def test_a_process_with_another_key_is_reported(product: Product) -> None:
    said = product.doctor(INTERNAL_API_KEY="x" * 40)
    assert (said["source"], said["ok"]) == ("", False)
    assert "returns 401" in details(said)["web process"]


def test_the_report_is_for_the_internal_key_alone(product: Product) -> None:
    assert httpx.get(product.address + PATH, timeout=5).status_code == 401
    wrong = {"Authorization": "Bearer " + "y" * 40}
    assert httpx.get(product.address + PATH, headers=wrong, timeout=5).status_code == 401
    assert httpx.post(product.address + PATH, timeout=5).status_code in (401, 403, 405)

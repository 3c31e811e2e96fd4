"""Production installs requirements.txt alone: `manage.py serve` runs without the simulators and their packages."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import urllib.request
import venv
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest
from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from voiceapp.tests.waiting import soon

pytestmark = pytest.mark.embedded

PRODUCTION, SIMULATORS = "requirements.txt", "requirements-simulators.txt"
# Of the packages of requirements-agent.txt, which the production environment does not have.
AGENTS_ONLY = ("livekit.agents", "livekit.plugins", "livekit.rtc", "telephony.livekit.agent")
IMPORTED = re.compile(r"^import '([\w.]+)'", re.M)


@pytest.fixture(scope="module")
def production_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a virtual environment with the distributions of requirements.txt and nothing else."""
    folder = tmp_path_factory.mktemp("production")
    venv.create(folder, symlinks=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    owners = Counter(name for installed in distributions() for name in top_level(installed))
    for needed in required_by(PRODUCTION).values():
        for file in needed.files or []:
            # A folder that distributions share (google, livekit) is linked piece by piece.
            name = Path(*file.parts[: 1 if owners[file.parts[0]] == 1 else 2])
            link = site_packages / name
            if file.parts[0] != ".." and not link.exists():
                link.parent.mkdir(exist_ok=True)
                link.symlink_to(str(needed.locate_file(str(name))))
    return folder / "bin" / "python"


def required_by(file_name: str) -> dict[str, Distribution]:
    """The distributions that a requirements file names and those that they need, by their normalized names."""
    lines = (settings.BASE_DIR / file_name).read_text().splitlines()
    wanted = [Requirement(line) for line in lines if line and line[0] not in "#-"]
    found: dict[str, Distribution] = {}
    done = set()
    while wanted:
        requirement = wanted.pop()
        name, extras = canonicalize_name(requirement.name), {"", *requirement.extras}
        if (name, *sorted(extras)) in done:
            continue
        done.add((name, *sorted(extras)))
        found[name] = distribution(name)
        for further in map(Requirement, found[name].requires or []):
            if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in extras):
                wanted.append(further)
    return found


def top_level(installed: Distribution) -> set[str]:
    return {file.parts[0] for file in installed.files or []}


def only_simulators_need() -> set[str]:
    """The names of the packages that only the simulators' distributions install."""
    others = required_by(SIMULATORS).keys() - required_by(PRODUCTION).keys()
    names = {name.removesuffix(".py") for other in others for name in top_level(distribution(other))}
    return {name for name in names if name.isidentifier() and name != "__pycache__"}


def test_the_simulators_packages_are_not_in_the_production_environment(production_python: Path) -> None:
    names = only_simulators_need()
    assert {"pocketsphinx", "espeakng_loader", "moto", "flask", "flask_cors", "numpy", "werkzeug"} <= names
    code = "import sys; from importlib.util import find_spec; print([name for name in sys.argv[1:] if find_spec(name)])"
    done = subprocess.run([production_python, "-c", code, *names, "django"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['django']"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), "SECRET_KEY": "s" * 50, "INTERNAL_API_KEY": "i" * 40,
        "ENVIRONMENT": "dev", "PUBLIC_BASE_URL": "http://127.0.0.1", "PORT": "0",
    }  # fmt: skip


def test_run_says_how_to_install_the_simulators(production_python: Path, environment: dict[str, str]) -> None:
    command = [str(production_python), "manage.py", "run", "--call", "none"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "make setup-simulators" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_agents_worker_says_how_to_install_its_packages(
    production_python: Path, environment: dict[str, str]
) -> None:
    command = [str(production_python), "manage.py", "run_agent"]
    livekit = {"LIVEKIT_HOST": "ws://127.0.0.1:9", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 32}
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment | livekit, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "make setup-agent" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def log(production_python: Path, environment: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """The log of `manage.py serve` in the production environment, with a line for each import."""
    log = tmp_path / "serve.log"
    command = [str(production_python), "-v", "manage.py", "serve", "--host", "127.0.0.1", "--port", "0"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stdout=output, stderr=output)
    try:
        soon(lambda: "listening on" in log.read_text() or process.poll() is not None, within_s=30)
        yield log
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def test_serve_answers_and_imports_nothing_of_the_simulators(log: Path) -> None:
    address = re.search(r"listening on (http://\S+)", log.read_text())
    assert address, "\n".join(
        line for line in log.read_text().splitlines() if line[:7] != "import " and line[:1] != "#"
    )
    # The first page makes Django import every view.
    for path in ("/health", "/"):
        with urllib.request.urlopen(f"{address[1]}{path}", timeout=20) as response:
            assert response.status == 200
    imported = set(IMPORTED.findall(log.read_text()))
    assert {"voiceapp.server", "voiceapp.urls"} <= imported
    assert not {name for name in imported if name.startswith("voiceapp.simulators")}
    assert not {name.partition(".")[0] for name in imported} & only_simulators_need()
    assert "livekit.api" in imported
    assert not {name for name in imported if name.startswith(AGENTS_ONLY)}

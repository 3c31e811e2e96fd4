"""The files around the code are correct: docker-compose.yml, Dockerfile, Makefile, README, requirements."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

from voiceapp.tests import livekit_server

ROOT = Path(__file__).resolve().parents[2]
MAKE_TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.M))


@pytest.fixture
def compose() -> dict[str, dict[str, dict[str, object]]]:
    content: dict[str, dict[str, dict[str, object]]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return content


def test_compose_has_the_web_the_worker_the_database_and_redis(
    compose: dict[str, dict[str, dict[str, object]]],
) -> None:
    assert {"web", "worker", "database", "redis"} <= set(compose["services"])


def test_compose_starts_only_commands_that_exist(compose: dict[str, dict[str, dict[str, object]]]) -> None:
    for name, service in compose["services"].items():
        command = service.get("command")
        if isinstance(command, list) and "manage.py" in command:
            assert command[command.index("manage.py") + 1] in get_commands(), name


def test_compose_waits_only_for_services_and_mounts_only_volumes_that_it_has(
    compose: dict[str, dict[str, dict[str, object]]],
) -> None:
    for service in compose["services"].values():
        depends = service.get("depends_on", {})
        assert isinstance(depends, dict)
        assert set(depends) <= set(compose["services"])
        volumes = service.get("volumes", [])
        assert isinstance(volumes, list)
        assert {str(volume).split(":")[0] for volume in volumes} <= set(compose["volumes"])


def test_compose_names_every_image_by_its_version(compose: dict[str, dict[str, dict[str, object]]]) -> None:
    for name, service in compose["services"].items():
        if image := service.get("image"):
            assert re.search(r":v?\d+[.\w-]*$", str(image)), name


def test_compose_has_the_livekit_server_that_the_tests_run(compose: dict[str, dict[str, dict[str, object]]]) -> None:
    assert compose["services"]["livekit"]["image"] == f"livekit/livekit-server:v{livekit_server.VERSION}"


def test_compose_starts_livekit_and_its_recorder_with_our_key_and_webhook(
    compose: dict[str, dict[str, dict[str, object]]],
) -> None:
    settings_of = {
        "livekit": compose["services"]["livekit"]["environment"]["LIVEKIT_CONFIG"],  # type: ignore[index]
        "egress": compose["services"]["egress"]["environment"]["EGRESS_CONFIG_BODY"],  # type: ignore[index]
    }
    server, recorder = (yaml.safe_load(text) for text in settings_of.values())
    assert server["webhook"]["urls"] == ["${PUBLIC_BASE_URL:-}/api/voice/webhook"]
    assert list(server["keys"]) == [recorder["api_key"]] == [server["webhook"]["api_key"]]
    assert list(server["keys"].values()) == [recorder["api_secret"]]


def test_the_images_steps_are_make_targets() -> None:
    steps = re.findall(r"RUN make ([a-z-]+)", (ROOT / "Dockerfile").read_text())
    assert steps
    assert set(steps) <= MAKE_TARGETS


@pytest.mark.parametrize(
    ("target", "files"),
    [
        ("serve", {"requirements.txt"}),
        ("static", {"requirements.txt"}),
        ("run", {"requirements.txt", "requirements-simulators.txt"}),
        ("setup-agent", {"requirements.txt", "requirements-agent.txt"}),
    ],
)
def test_a_make_target_installs_only_what_it_needs(target: str, files: set[str], tmp_path: Path) -> None:
    command = ["make", "--dry-run", target, f"VENV={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(re.findall(r"-r (\S+)", done.stdout)) == files


def test_the_image_copies_and_installs_the_packages_of_production_alone() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert set(re.findall(r"requirements[\w-]*\.txt", dockerfile)) == {"requirements.txt"}
    assert set(re.findall(r"RUN make (\S+)", dockerfile)) == {"setup", "static"}


def test_the_image_of_the_agents_worker_adds_its_packages() -> None:
    dockerfile = (ROOT / "Dockerfile.agent").read_text()
    assert set(re.findall(r"requirements[\w-]*\.txt", dockerfile)) == {"requirements.txt", "requirements-agent.txt"}
    assert re.findall(r"RUN make (\S+)", dockerfile) == ["setup-agent"]


def test_the_readme_names_only_make_targets_and_files_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    assert set(re.findall(r"`make ([a-z-]+)", readme)) <= MAKE_TARGETS
    for link in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (ROOT / link).exists(), link


def test_no_distribution_takes_the_name_of_our_agents_package() -> None:
    # The openai-agents distribution installs a top-level `agents`.
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("openai-agents")


def test_every_requirement_is_pinned_exactly() -> None:
    for name in ("requirements.txt", "requirements-simulators.txt", "requirements-agent.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith(("#", "-r")):
                assert re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z0-9,]+\])?==[0-9a-z.]+", line), line


def test_the_version_is_the_newest_of_the_changelog() -> None:
    version = (ROOT / "VERSION").read_text().strip()
    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text()
    assert re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)[0] == version

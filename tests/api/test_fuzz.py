"""schemathesis sends all that the document allows, and more: no bug of ours, no response outside the document."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from tests.api.conftest import Product
from voiceapp.core.api.docs import document
from voiceapp.tests.limits import raise_limits

pytestmark = pytest.mark.waits

# `make fuzz` gives more.
SECONDS = int(os.environ.get("FUZZ_SECONDS", "25"))
SEED = os.environ.get("FUZZ_SEED", "1")
STARTS_WITHIN_S = 60
CONFIG = """
[[operations]]
include-tag = "Internal"
headers = {{ Authorization = "Bearer {internal}" }}
[[operations]]
exclude-tag = "Internal"
headers = {{ Authorization = "Bearer {key}" }}
"""


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The document as strict as our responses are: no undocumented field. One credential at a time."""
    strict = copy.deepcopy(schema)
    for name in ("apiKey", "clerkCookie", "session"):
        del strict["components"]["securitySchemes"][name]
    for operation in (one for methods in strict["paths"].values() for one in methods.values()):
        operation["security"] = operation["security"][:1]
    for component in strict["components"]["schemas"].values():
        if "properties" in component:
            component.setdefault("additionalProperties", False)
    return strict


@pytest.mark.timeout(SECONDS + 2 * STARTS_WITHIN_S)
def test_no_request_gets_a_response_outside_the_document(product: Product, settings: Settings, tmp_path: Path) -> None:
    raise_limits(settings, "1000000/h")
    (tmp_path / "openapi.json").write_text(json.dumps(closed(document())))
    (tmp_path / "schemathesis.toml").write_text(CONFIG.format(internal=product.internal_key, key=product.key))
    command = [
        str(Path(sys.executable).with_name("st")), "--config-file", "schemathesis.toml", "run", "openapi.json",
        "--url", product.url, "--max-time", str(SECONDS), "--seed", SEED,
        "--checks", "all", "--exclude-checks", "positive_data_acceptance,not_a_server_error",
        "--continue-on-failure", "--generation-database", "none", "--warnings", "off",
    ]  # fmt: skip
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.api.fuzz_hooks",
        "PYTHONPATH": str(settings.BASE_DIR),
        "NO_COLOR": "1",
        "FUZZ_ORGANIZATION": str(product.organization.pk),
    }
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]

"""docs/api.md is current, and its lines for a shell work when they are pasted one after another."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from django.conf import settings

from tests.api.conftest import Product
from voiceapp.core.api.docs import api_docs, document

FILE = settings.BASE_DIR / "docs/api.md"
LINES = re.findall(r"```sh\n(.*?)\n```", FILE.read_text(), re.S)
# As a terminal, but an error ends it, and the status of each response is printed.
SHELL = """
set -u
exec 2>&1
curl() { command curl --fail-with-body -w '%{stderr}\\n%{http_code}\\n' "$@" || { echo "failed: $*" >&2; kill $$; }; }
"""


def test_the_file_is_what_the_schema_says() -> None:
    assert FILE.read_text() == api_docs(document()), "run: python manage.py write_api_docs"


def test_every_operation_has_a_line() -> None:
    operations = [one for methods in document()["paths"].values() for one in methods.values()]
    of_clients = [one for one in operations if one["operationId"] != "receiveLiveKitEvent"]
    assert [one["operationId"] for one in of_clients if not one["x-codeSamples"]] == []
    assert sum(len(one["x-codeSamples"]) for one in of_clients) == len(LINES) - 1  # the first sets the variables


@pytest.mark.timeout(120)
def test_the_lines_work_in_their_order(product: Product) -> None:
    given = {
        "BASE": product.url,
        "KEY": product.key,
        "ORG": str(product.organization.pk),
        "INTERNAL_API_KEY": product.internal_key,
    }
    script = SHELL + "\n".join(LINES[1:]) + "\necho all done"
    done = subprocess.run(
        ["bash", "-c", script], env=os.environ | given | {"no_proxy": "*"}, capture_output=True, text=True, check=False
    )
    assert done.stdout.endswith("all done\n"), done.stdout[-3000:] + done.stderr[-2000:]
    statuses = re.findall(r"^(\d{3})$", done.stdout, re.M)
    assert set(statuses) <= {"200", "201"}
    assert len(statuses) >= len(LINES) - 3, done.stdout

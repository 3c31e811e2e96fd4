"""Curl lines hold what was meant, with any character."""

from __future__ import annotations

import json
import subprocess

import pytest

from voiceapp.core.api.samples import Sample, quoted, shell_line


@pytest.mark.parametrize("text", ["it's", 'a "word"', "back\\slash", "new\nline", "$(whoami) `id`", "naïve"])
def test_a_body_reaches_curl_as_it_is(text: str) -> None:
    printed = subprocess.run(["bash", "-c", f"printf %s {quoted({'text': text})}"], capture_output=True, check=True)
    assert json.loads(printed.stdout) == {"text": text}


def test_a_variable_in_a_body_is_the_shells() -> None:
    line = f"ROOM='a room'; printf %s {quoted({'roomName': '$ROOM'})}"
    printed = subprocess.run(["bash", "-c", line], capture_output=True, check=True)
    assert json.loads(printed.stdout) == {"roomName": "a room"}


def test_a_line_may_keep_a_value_of_the_response_for_the_next() -> None:
    sample = Sample("Start", body={}, keeps=("ROOM", "roomName"))
    line = shell_line(sample, method="POST", path="/api/voice/session")
    response = json.dumps({"success": True, "session": {"roomName": "support-1", "token": "x"}}, separators=(",", ":"))
    fake = f"curl() {{ echo '{response}'; }}; BASE=x KEY=y\n{line}\nprintf '<%s>' \"$ROOM\""
    printed = subprocess.run(["bash", "-c", fake], capture_output=True, check=True, text=True)
    assert printed.stdout.endswith("<support-1>")


def test_a_get_names_no_method() -> None:
    line = shell_line(Sample("See", query={"roomName": "$ROOM"}), method="GET", path="/x")
    assert line == 'curl -sS "$BASE/x?roomName=$ROOM" \\\n  -H "Authorization: Bearer $KEY"'

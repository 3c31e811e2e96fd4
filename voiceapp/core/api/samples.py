"""Lines for a shell that try an operation; they work when pasted, one after another."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

VARIABLE = re.compile(r"\$[A-Z_]+")


@dataclass(frozen=True, slots=True)
class Sample:
    """A curl line. `$NAME` in a value is a variable of the shell.

    `keeps` names a variable and the field of the response whose value it keeps for the samples that follow. `before` is
    a line that prepares it. `retries` lets curl try again where the response may be 503 at first. `key` is the variable
    of the credential.
    """

    label: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    keeps: tuple[str, str] | None = None
    before: str = ""
    retries: bool = False
    key: str = "KEY"


def code_sample(sample: Sample, *, method: str, path: str) -> dict[str, str]:
    """As the extension `x-codeSamples` has it."""
    return {"lang": "Shell", "label": sample.label, "source": shell_line(sample, method=method, path=path)}


def shell_line(sample: Sample, *, method: str, path: str) -> str:
    """The curl line of a sample; `BASE`, and `KEY` or `INTERNAL_API_KEY`, are the reader's to set."""
    query = "&".join(f"{name}={value}" for name, value in sample.query.items())
    flags = "-sS" + (" --retry 10" if sample.retries else "")
    verb = "" if method == "GET" or (method == "POST" and sample.body is not None) else f" -X {method}"
    parts = [f'curl {flags}{verb} "$BASE{path}{"?" if query else ""}{query}"']
    parts.append(f'-H "Authorization: Bearer ${sample.key}"')
    parts += [f'-H "{name}: {value}"' for name, value in sample.headers.items()]
    if sample.body is not None:
        parts += ['-H "Content-Type: application/json"', f"-d {quoted(sample.body)}"]
    before = f"{sample.before}\n" if sample.before else ""
    line = " \\\n  ".join(parts)
    if sample.keeps is None:
        return before + line
    variable, name = sample.keeps
    kept = f'sed \'s/.*"{name}": *"\\([^"]*\\)".*/\\1/\''
    return f'{before}{variable}=$({line} \\\n  | {kept}); echo "${variable}"'


def quoted(body: object) -> str:
    """JSON between single quotes, but for variables, which stand between double ones."""
    text = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
    return "'" + VARIABLE.sub(lambda found: f"'\"{found[0]}\"'", text) + "'"

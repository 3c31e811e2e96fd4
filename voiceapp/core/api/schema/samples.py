"""Lines for a shell that try an operation; they work when pasted, one after another."""

from __future__ import annotations

import json
import re

from .operations import Sample

CREDENTIALS = {"key": "$KEY", "internal": "$INTERNAL_API_KEY"}
VARIABLE = re.compile(r"\$[A-Z_]+")


def shell_line(sample: Sample, *, method: str, path: str, credential: str) -> str:
    """The curl line of a sample; `BASE`, and `KEY` or `INTERNAL_API_KEY`, are the reader's to set."""
    query = "&".join(f"{name}={value}" for name, value in sample.query.items())
    flags = "-sS" + (" --retry 10" if sample.waits else "")
    verb = "" if method == "GET" or (method == "POST" and sample.body is not None) else f" -X {method}"
    parts = [f'curl {flags}{verb} "$BASE{path}{"?" if query else ""}{query}"']
    if credential in CREDENTIALS:
        parts.append(f'-H "Authorization: Bearer {CREDENTIALS[credential]}"')
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

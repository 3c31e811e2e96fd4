"""docs/api.md, written from the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .introduction import Chapter
from .reading import Field, Group, Reader, Reference, Told

HEAD = """\
# The API

Written from the schema by `python manage.py write_api_docs`; a test fails when it is stale. `/api/docs` shows the same
in a browser, `/api/schema` is the document for machines (OpenAPI 3.1).
"""
START = """\
Every line for a shell works when pasted, from the first to the last, against `make run` in another terminal:

```sh
BASE=http://127.0.0.1:8080
MADE=$(.venv/bin/python manage.py create_api_key bella-napoli --name mine --json)
KEY=$(sed 's/.*"key": "\\([^"]*\\)".*/\\1/' <<< "$MADE")
ORG=$(sed 's/.*"organization_id": "\\([^"]*\\)".*/\\1/' <<< "$MADE")
INTERNAL_API_KEY=$(sed -n 's/^INTERNAL_API_KEY=//p' .env)
```

`KEY` is a key of your organization; an owner or manager makes one in the admin as well (House, API keys). `ROOM` is
kept from the answer that started a call. The last two are for the internal API alone.
"""


def api_docs(document: dict[str, object]) -> str:
    """The whole file."""
    return "\n".join(_lines(Reader(document).reference()))


def _lines(reference: Reference) -> Iterator[str]:
    yield HEAD
    for chapter in reference.introduction:
        yield f"## {chapter.name}\n"
        yield from [START] if chapter.name == "Start" else _chapter(chapter)
    for group in reference.groups:
        yield from _group(group)


def _chapter(chapter: Chapter) -> Iterator[str]:
    for paragraph in chapter.paragraphs:
        yield f"{paragraph}\n"
    for name, text, language in chapter.examples:
        yield f"{name}:\n"
        yield f"```{language}\n{text}\n```\n"


def _group(group: Group) -> Iterator[str]:
    yield f"## {group.name}\n\n{group.words}\n"
    for operation in group.operations:
        yield from _operation(operation)


def _operation(operation: Told) -> Iterator[str]:
    yield f"### {operation.summary}\n\n`{operation.method} {operation.path}`\n"
    if operation.words:
        yield f"{operation.words}\n"
    for sample in operation.samples:
        yield f"{sample.name}:\n\n```sh\n{sample.text}\n```\n"
    yield from _fields("Query", operation.query)
    yield from _fields("Header", operation.headers)
    for form in operation.bodies:
        yield from _fields("Body", form.fields)
    for form in operation.forms:
        yield from _fields(f"Answer {operation.status}", form.fields, says_required=False)
    for example in operation.answered:
        yield f"```json\n{example.text}\n```\n"
    yield "| refusal | error | message, an example |\n|---|---|---|"
    for refusal in operation.refusals:
        yield _row([str(refusal.status), refusal.title, refusal.message])
    yield ""


def _fields(title: str, fields: Iterable[Field], *, says_required: bool = True) -> Iterator[str]:
    rows = [_row([f"`{field.name}`", _kind(field, says_required), field.words]) for field in fields]
    if rows:
        yield f"| {title} | | |\n|---|---|---|"
        yield from rows
        yield ""


def _kind(field: Field, says_required: bool) -> str:
    told = [field.kind + (": " + ", ".join(f"`{choice}`" for choice in field.choices) if field.choices else "")]
    told += field.rules
    if field.default:
        told.append(f"default `{field.default}`")
    if says_required and field.is_required:
        told.append("**required**")
    if not says_required and not field.is_required:
        told.append("not always")
    return ", ".join(told)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

"""The OpenAPI document as it is shown to people: chapters, operations, fields and answers, every reference followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from .introduction import Chapter, introduction, pretty

Words = Mapping[str, Any]
DEEPEST = 6
FORMATS = {"date-time": "moment", "uuid": "UUID", "uri": "address", "double": "", "float": ""}
BOUNDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
}
LARGEST_BOUND = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a table. `name` is a path: `session.token`, `recordings[].status`."""

    name: str
    kind: str
    is_required: bool
    words: str
    rules: tuple[str, ...]
    choices: tuple[str, ...]
    default: str


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Form:
    """One shape of a body or an answer."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """`title` is what a client decides by, `message` an example of the words for people."""

    status: int
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class Told:
    """An operation, ready to be shown."""

    id: str
    method: str
    path: str
    summary: str
    words: str
    credentials: tuple[str, ...]
    query: tuple[Field, ...]
    headers: tuple[Field, ...]
    bodies: tuple[Form, ...]
    asked: tuple[Example, ...]
    samples: tuple[Example, ...]
    status: int
    phrase: str
    forms: tuple[Form, ...]
    answered: tuple[Example, ...]
    refusals: tuple[Refused, ...]

    @property
    def refusal_statuses(self) -> list[int]:
        return sorted({refusal.status for refusal in self.refusals})


@dataclass(frozen=True, slots=True)
class Group:
    """The operations of one area."""

    name: str
    words: str
    operations: tuple[Told, ...]

    @property
    def anchor(self) -> str:
        return self.name.lower().replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Reference:
    """All of it."""

    title: str
    version: str
    base: str
    introduction: tuple[Chapter, ...]
    groups: tuple[Group, ...]


class Reader:
    """Reads one document."""

    def __init__(self, document: Words) -> None:
        self.document = document

    def reference(self, base: str = "") -> Reference:
        """`base` stands for the server's own address where that should not be told."""
        base = base or self.document["servers"][0]["url"]
        info = self.document["info"]
        by_tag: dict[str, list[Told]] = {}
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                by_tag.setdefault(operation["tags"][0], []).append(self.told(path, method.upper(), operation))
        groups = tuple(
            Group(tag["name"], tag["description"], tuple(by_tag[tag["name"]])) for tag in self.document["tags"]
        )
        return Reference(info["title"], info["version"], base, introduction(base), groups)

    def told(self, path: str, method: str, operation: Words) -> Told:
        (status, answer), *_ = operation["responses"].items()
        content = answer.get("content", {}).get("application/json", {})
        requested: Words = next(iter(operation.get("requestBody", {}).get("content", {}).values()), {})
        parameters = operation.get("parameters", [])
        return Told(
            id=operation["operationId"],
            method=method,
            path=path,
            summary=operation["summary"],
            words=operation.get("description", ""),
            credentials=tuple(name for need in operation.get("security", []) for name in need),
            query=tuple(self.parameter(each) for each in parameters if each["in"] == "query"),
            headers=tuple(self.parameter(each) for each in parameters if each["in"] == "header"),
            bodies=tuple(self.forms(requested.get("schema", {}))),
            asked=examples(requested),
            samples=tuple(Example(each["label"], each["source"]) for each in operation.get("x-codeSamples", [])),
            status=int(status),
            phrase=HTTPStatus(int(status)).phrase,
            forms=tuple(self.forms(content.get("schema", {}))),
            answered=examples(content),
            refusals=tuple(self.refusals(operation["responses"])),
        )

    def forms(self, schema: Words) -> Iterator[Form]:
        for each in schema.get("anyOf", [schema]):
            fields = tuple(self.fields(each))
            if fields:
                yield Form(fields)

    def parameter(self, parameter: Words) -> Field:
        return self.field(
            parameter["name"],
            {"description": parameter.get("description", ""), **parameter["schema"]},
            is_required=parameter.get("required", False),
        )

    def fields(self, schema: Words, prefix: str = "", depth: int = 0) -> Iterator[Field]:
        """The properties of an object, each followed by those of the objects in it."""
        schema = self.followed(schema)
        required = schema.get("required", ())
        for name, keywords in schema.get("properties", {}).items():
            path = f"{prefix}.{name}" if prefix else name
            yield self.field(path, keywords, is_required=name in required)
            if depth < DEEPEST:
                inner, is_list = self.inside(keywords)
                yield from self.fields(inner, f"{path}[]" if is_list else path, depth + 1)

    def inside(self, schema: Words) -> tuple[Words, bool]:
        """The object in a property, and whether it is one of a list."""
        schema = self.followed(schema)
        if "items" in schema:
            return schema["items"], True
        return schema, False

    def field(self, name: str, schema: Words, *, is_required: bool) -> Field:
        words = schema.get("description", "")
        schema = self.followed(schema)
        choices = [choice for choice in schema.get("enum", ()) if choice is not None]
        rules = [
            phrase.format(f"{schema[key]:,}".replace(",", " "))
            for key, phrase in BOUNDS.items()
            if key in schema and abs(schema[key]) < LARGEST_BOUND and not (key == "minLength" and schema[key] == 1)
        ]
        if "pattern" in schema:
            rules.append(f"matches `{schema['pattern']}`")
        return Field(
            name=name,
            kind=self.kind(schema),
            is_required=is_required,
            words=words or schema.get("description", ""),
            rules=tuple(rules),
            choices=tuple(str(choice) for choice in choices),
            default=pretty(schema["default"]) if schema.get("default") not in (None, "") else "",
        )

    def kind(self, schema: Words) -> str:
        schema = self.followed(schema)
        types = schema.get("type", "string" if "const" in schema or "enum" in schema else "object")
        names = [str(each) for each in (types if isinstance(types, list) else [types])]
        if any(each.get("type") == "null" for each in schema.get("oneOf", ())) and "null" not in names:
            names.append("null")
        if "array" in names and "items" in schema:
            names[names.index("array")] = f"list of {self.kind(schema['items'])}"
        label = FORMATS.get(schema.get("format", ""))
        return " or ".join([label or names[0], *names[1:]])

    def followed(self, schema: Words) -> Words:
        """Without references: `$ref`, one in `allOf`, or one that may be null."""
        if "$ref" in schema:
            found: Words = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            return self.followed(found)
        if len(schema.get("allOf", ())) == 1:
            return {**self.followed(schema["allOf"][0]), **{k: v for k, v in schema.items() if k != "allOf"}}
        real = [each for each in schema.get("oneOf", ()) if each.get("type") != "null"]
        if len(real) == 1:
            return {**self.followed(real[0]), **schema}
        return schema

    def refusals(self, responses: Words) -> Iterator[Refused]:
        for status, response in responses.items():
            if int(status) < HTTPStatus.BAD_REQUEST:
                continue
            content = response.get("content", {}).get("application/json", {})
            for example in content.get("examples", {}).values():
                yield Refused(int(status), *title_and_message(example["value"]))


def title_and_message(body: Words) -> tuple[str, str]:
    """Wherever the shape has them; fields that were wrong belong to the message."""
    inner = body.get("error", body)
    if isinstance(inner, Mapping):
        title, message, fields = inner.get("code") or inner["error_code"], inner["message"], inner.get("fields", {})
    else:
        title, message, fields = inner, body.get("message", ""), body.get("details", {}).get("fields", {})
    reasons = "; ".join(f"`{name}`: {' '.join(words)}" for name, words in fields.items())
    return title, f"{message} {reasons}".strip()


def examples(content: Words) -> tuple[Example, ...]:
    return tuple(Example(name, pretty(each["value"])) for name, each in content.get("examples", {}).items())

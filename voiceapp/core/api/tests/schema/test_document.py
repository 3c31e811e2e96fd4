"""The OpenAPI document is valid, complete, and its examples are what it says they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from voiceapp.core.api.docs import document

DOCUMENT = document()
OPERATIONS = [
    pytest.param(operation, id=f"{method.upper()} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
OF_CUSTOMERS = [
    param
    for param in OPERATIONS
    if {"bearer": []} in param.values[0]["security"]  # type: ignore[index]
]


def test_it_is_valid_openapi_3_1_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    assert schema["openapi"] == "3.1.0"
    validate_schema(schema)  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS, capsys.readouterr().err


def test_anyone_may_have_it_and_keep_it(client: Client) -> None:
    response = client.get("/api/schema")
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert json.loads(response.content) == json.loads(json.dumps(DOCUMENT))
    assert client.get("/api/schema", headers={"If-None-Match": response["ETag"]}).status_code == 304
    assert client.post("/api/schema").status_code == 405


def with_components(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "components": DOCUMENT["components"]}


def examples_in(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], object]]:
    """Where, the schema, and the example."""
    messages = [("request", operation.get("requestBody", {})), *operation["responses"].items()]
    for where, message in messages:
        for content in message.get("content", {}).values():
            for name, example in content.get("examples", {}).items():
                yield f"{where}: {name}", content["schema"], example["value"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_example_is_what_its_schema_says(operation: dict[str, Any]) -> None:
    for where, schema, example in examples_in(operation):
        try:
            jsonschema.Draft202012Validator(with_components(schema)).validate(example)
        except jsonschema.ValidationError as error:
            pytest.fail(f"{where}: {error.message} at {error.json_path}")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_a_summary_and_examples_of_its_errors(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert {"401", "500"} <= operation["responses"].keys()
    for status, response in operation["responses"].items():
        assert response["description"]
        if int(status) >= 400:
            assert response["content"]["application/json"]["examples"], status


@pytest.mark.parametrize("operation", OF_CUSTOMERS)
def test_the_errors_of_every_customer_are_documented_everywhere(operation: dict[str, Any]) -> None:
    assert {"400", "401", "403", "503"} <= operation["responses"].keys()
    assert ("requestBody" in operation) == ("415" in operation["responses"])
    assert [need for need in operation["security"] if len(need) != 1] == []  # any of them is enough
    assert operation["x-codeSamples"]


@pytest.mark.parametrize("operation", OF_CUSTOMERS)
def test_a_limited_operation_documents_its_limit(operation: dict[str, Any]) -> None:
    is_limited = "429" in operation["responses"]
    for status, response in operation["responses"].items():
        assert ("X-RateLimit-Reset" in response.get("headers", {})) == is_limited, status
    ends_a_call = operation["operationId"] in {"endSession", "endRealtime", "removeAgent"}
    assert not (ends_a_call and is_limited)


def test_two_errors_with_one_title_are_both_documented() -> None:
    examples = DOCUMENT["paths"]["/voice-session"]["post"]["responses"]["503"]["content"]["application/json"][
        "examples"
    ]
    messages = [example["value"]["message"] for example in examples.values()]
    assert len(messages) == len(set(messages)) >= 3


def test_bodies_take_no_fields_that_are_not_named() -> None:
    assert [
        name
        for name, schema in DOCUMENT["components"]["schemas"].items()
        if name.endswith("Request") and "properties" in schema and schema.get("additionalProperties") is not False
    ] == ["LiveKitEventRequest"]  # LiveKit adds fields as it pleases


def test_every_body_is_named_a_request() -> None:
    schemas = [
        content["schema"]["$ref"]
        for param in OPERATIONS
        for content in param.values[0].get("requestBody", {}).get("content", {}).values()  # type: ignore[union-attr]
    ]
    assert schemas
    assert [each for each in schemas if not each.endswith("Request")] == []

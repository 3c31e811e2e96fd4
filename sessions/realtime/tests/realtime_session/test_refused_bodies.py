"""Bodies, methods and media types that POST /realtime_session does not take: refused in its own shape, never a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import BODY, SendRequest
from .dialed import Dialed

LONG = "x" * 101


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "model, voice"),
        ({"voice": "verse"}, "model"),
        ({"model": "gpt-realtime"}, "voice"),
        ({**BODY, "model": ""}, "model"),
        ({**BODY, "model": None}, "model"),
        ({**BODY, "model": 5}, "model"),
        ({**BODY, "model": True}, "model"),
        ({**BODY, "model": ["gpt-realtime"]}, "model"),
        ({**BODY, "model": {"name": "gpt-realtime"}}, "model"),
        ({**BODY, "model": LONG}, "model"),
        ({**BODY, "model": " gpt-realtime"}, "model"),
        ({**BODY, "model": "gpt-realtime\n"}, "model"),
        ({**BODY, "model": "gpt realtime"}, "model"),
        ({**BODY, "model": "größe"}, "model"),
        ({**BODY, "voice": 1.5}, "voice"),
        ({**BODY, "voice": {"id": "voice_1"}}, "voice"),
        ({**BODY, "voice": LONG}, "voice"),
        ({**BODY, "voice": "nobody"}, "voice"),
        ({**BODY, "voice": "Marin"}, "voice"),
        ({**BODY, "voice": "voice_"}, "voice"),
        ({**BODY, "model": "gpt!realtime"}, "model"),
        ({**BODY, "endpoint": ""}, "endpoint"),
        ({**BODY, "endpoint": None}, "endpoint"),
        ({**BODY, "endpoint": 443}, "endpoint"),
        ({**BODY, "endpoint": ["https://api.openai.com"]}, "endpoint"),
        ({**BODY, "endpoint": "https://api.openai.com/" + "x" * 500}, "endpoint"),
        ({**BODY, "endpoint": "not a url"}, "endpoint"),
        ({**BODY, "endpoint": "not-a-url"}, "endpoint"),
        ({**BODY, "instructions": "x"}, "instructions"),
        ({**BODY, "__proto__": {}}, "__proto__"),
        ({**BODY, "Model": "gpt-realtime"}, "Model"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_a_field_that_is_wrong_is_named(send_request: SendRequest, body: Any, named: str) -> None:
    answer = send_request(body)
    assert (answer.status_code, set(answer.json())) == (400, {"error_code", "message"})
    assert answer.json()["error_code"] == "invalid_request"
    assert f"({named})" in answer.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b"\xff\xfe{}",
        b"\x00",
        b'{"model": "\\u0000", "voice": "verse"}',
        b'{"model": "\\ud800", "voice": "verse"}',
        b'{"model": "a", "voice": NaN}',
        b'{"model": "a", "voice": 1e999}',
        b'{"model": "a", "voice": ' + b"9" * 5000 + b"}",
        b'{"model": ' + b"[" * 50 + b"]" * 50 + b', "voice": "verse"}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"model": "' + b"x" * 300_000 + b'", "voice": "verse"}',
    ],
    ids=lambda body: repr(body[:30]),
)
def test_what_is_no_object_in_json_is_refused(send_request: SendRequest, body: bytes) -> None:
    answer = send_request(body)
    assert (answer.status_code, set(answer.json())) == (400, {"error_code", "message"})
    assert answer.json()["error_code"] == "invalid_request"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_405(send_request: SendRequest, method: str) -> None:
    answer = send_request(method=method)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert answer.json()["error_code"] == "method_not_allowed"
    assert send_request(method="HEAD").status_code == 405


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "x"],
)
def test_other_media_types_are_415(send_request: SendRequest, media_type: str) -> None:
    answer = send_request(Content_Type=media_type)
    assert (answer.status_code, answer.json()["error_code"]) == (415, "unsupported_media_type")


def test_a_refused_body_sends_no_request(send_request: SendRequest, dialed: Dialed, address: str) -> None:
    send_request({})
    send_request(b"{")
    assert dialed.connections
    assert dialed.beside(address.removeprefix("http://")) == set()

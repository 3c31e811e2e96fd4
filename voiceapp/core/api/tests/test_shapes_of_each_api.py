"""A view names the shape of its errors; each API has its own, exactly as documented."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import DataError
from django.http import Http404
from django.test import Client
from django.urls import path
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed, PermissionDenied, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from voiceapp.core.api.errors import BROKEN, ErrorBody, Problem, RealtimeSessionError, VoiceError

LIMIT = {"retryAfter": 3600, "limit": 10, "remaining": 0, "reset": 1640995200}
ERRORS: dict[str, Callable[[], Exception]] = {
    "forbidden": lambda: PermissionDenied("Access denied"),
    "absent": lambda: Http404("a query of ours"),
    "held": lambda: DataError("22P05"),
    "fields": lambda: serializers.ValidationError({"voice": ["No such voice."], "model": ["Name one."]}),
    "listed": lambda: serializers.ValidationError(["Not like this."]),
    "busy": lambda: Problem(409, "Active session already exists for this room", "Use another name.").error(),
    "often": lambda: Problem(429, "", "Slow down.", code="rate_limited", details=LIMIT).error(retry_after_s=3600),
    "away": lambda: Problem(503, "Voice service not configured", details={"service": "livekit"}).error(),
    "provider": lambda: Problem(500, "Provider error", "OpenAI returned 401 Unauthorized").error(),
    "media": lambda: UnsupportedMediaType("text/plain"),
    "method": lambda: MethodNotAllowed("PUT"),
    "broken": lambda: ZeroDivisionError("a secret of ours"),
}


class VoiceView(APIView):
    permission_classes = []
    error_shape: type[ErrorBody] = VoiceError

    def get(self, request: Request) -> Response:
        raise ERRORS[request.query_params["why"]]()


class RealtimeView(VoiceView):
    error_shape = RealtimeSessionError


handler404 = "voiceapp.error_pages.not_found"
handler500 = "voiceapp.error_pages.server_error"
urlpatterns = [path("voice", VoiceView.as_view()), path("realtime", RealtimeView.as_view())]
pytestmark = pytest.mark.urls(__name__)
FIELDS = {"voice": ["No such voice."], "model": ["Name one."]}


@pytest.mark.parametrize(
    ("why", "status", "body"),
    [
        ("forbidden", 403, {"error": "Forbidden", "message": "Access denied", "details": {}}),
        ("absent", 404, {"error": "Not Found", "message": "Not found.", "details": {}}),
        ("held", 400, {"error": "Bad Request", "message": "A value cannot be kept.", "details": {}}),
        (
            "fields",
            400,
            {
                "error": "Bad Request",
                "message": "Some fields cannot be taken as they are.",
                "details": {"fields": FIELDS},
            },
        ),
        (
            "busy",
            409,
            {"error": "Active session already exists for this room", "message": "Use another name.", "details": {}},
        ),
        ("often", 429, {"error": "Too many requests", "message": "Please try again later"} | LIMIT),
        (
            "away",
            503,
            {
                "error": "Voice service not configured",
                "message": "Voice service not configured",
                "details": {"service": "livekit"},
            },
        ),
    ],
)
def test_the_voice_apis_errors(client: Client, why: str, status: int, body: dict[str, object]) -> None:
    response = client.get("/voice", {"why": why})
    assert (response.status_code, response.json()) == (status, body)


@pytest.mark.parametrize(
    ("why", "status", "body"),
    [
        ("forbidden", 403, {"error_code": "forbidden", "message": "Access denied"}),
        ("absent", 404, {"error_code": "not_found", "message": "Not found."}),
        (
            "fields",
            400,
            {"error_code": "invalid_request", "message": "Some fields cannot be taken as they are (voice, model)."},
        ),
        (
            "listed",
            400,
            {"error_code": "invalid_request", "message": "Some fields cannot be taken as they are (body)."},
        ),
        ("often", 429, {"error_code": "rate_limited", "message": "Slow down."}),
        ("provider", 500, {"error_code": "provider_error", "message": "OpenAI returned 401 Unauthorized"}),
        (
            "media",
            415,
            {
                "error_code": "unsupported_media_type",
                "message": 'Unsupported media type "text/plain" in request.',
            },
        ),
        ("method", 405, {"error_code": "method_not_allowed", "message": 'Method "PUT" not allowed.'}),
    ],
)
def test_the_realtime_sessions_errors(client: Client, why: str, status: int, body: dict[str, object]) -> None:
    response = client.get("/realtime", {"why": why})
    assert (response.status_code, response.json()) == (status, body)


def test_when_to_come_back_is_a_header(client: Client) -> None:
    assert client.get("/voice", {"why": "often"})["Retry-After"] == "3600"
    assert "Retry-After" not in client.get("/voice", {"why": "away"})


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_our_own_fault_has_the_endpoints_shape_and_the_documented_text(accept: str) -> None:
    client = Client(raise_request_exception=False)
    responses = [
        client.get(address, {"why": "broken"}, headers={"Accept": accept}) for address in ("/voice", "/realtime")
    ]
    for response, shape in zip(responses, (VoiceError, RealtimeSessionError), strict=True):
        expected = shape.render(BROKEN)
        if shape is VoiceError:
            expected["details"] = {"requestId": response["X-Request-ID"]}
        assert (response.status_code, response.json()) == (500, expected)


def test_an_address_that_the_voice_api_does_not_have_gets_an_error_in_its_shape(client: Client) -> None:
    response = client.get("/api/voice/nowhere")
    message = "There is nothing here. Check the address, or start from the home page."
    expected = {"error": "Not Found", "message": message, "details": {"requestId": response["X-Request-ID"]}}
    assert (response.status_code, response.json()) == (404, expected)
    assert client.get("/api/realtime/nowhere").json()["error"]["code"] == "not_found"

"""Every error has one shape for machines, and a page with a next step for people."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings
from rest_framework import serializers
from rest_framework.exceptions import NotFound, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from voiceapp.core.api.strict_json import StrictJSONParser, StrictSerializer


class Body(StrictSerializer):
    name = serializers.CharField(max_length=5)


class NamesView(APIView):
    permission_classes = []
    parser_classes = [StrictJSONParser]

    def get(self, request: Request) -> Response:
        raise {"gone": NotFound("No such thing."), "held": DataError("22P05"), "slow": Throttled(wait=3)}[
            request.query_params["why"]
        ]

    def post(self, request: Request) -> Response:
        body = Body(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(body.validated_data)


def breaks(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("a secret of ours")


def forbids(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


urlpatterns = [path("names", NamesView.as_view()), path("breaks", breaks), path("forbids", forbids)]
handler400 = "voiceapp.error_pages.bad_request"
handler403 = "voiceapp.error_pages.forbidden"
handler404 = "voiceapp.error_pages.not_found"
handler500 = "voiceapp.error_pages.server_error"

pytestmark = pytest.mark.urls(__name__)
BROWSER = {"Accept": "text/html,*/*;q=0.8"}


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def post(client: Client, body: str | bytes) -> HttpResponse:
    return client.post("/names", body, content_type="application/json")  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("why", "status", "code", "message"),
    [
        ("gone", 404, "not_found", "No such thing."),
        ("held", 400, "invalid", "A value cannot be kept."),
        ("slow", 429, "throttled", "Request was throttled. Expected available in 3 seconds."),
    ],
)
def test_an_error_has_a_code_a_message_and_the_requests_id(
    client: Client, why: str, status: int, code: str, message: str
) -> None:
    response = client.get("/names", {"why": why})
    assert response.status_code == status
    assert response.json() == {"error": {"code": code, "message": message, "requestId": response["X-Request-ID"]}}


def test_wrong_fields_are_named(client: Client) -> None:
    error = client.post("/names", {"name": "too long", "nmae": 1}, content_type="application/json").json()["error"]
    assert error["code"] == "invalid"
    assert set(error["fields"]) == {"nmae"}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        b"\xff",
        '{"name": NaN}',
        '{"name": Infinity}',
        '{"name": 1e999}',
        '{"name": -1e999}',
        '{"name": "a\\u0000"}',
        '{"name": "\\ud800"}',
        '{"a\\u0000": 1}',
        "[" * 100_000,
        '{"a":' * 40 + "1" + "}" * 40,
        '{"name": ' + "1" * 5000 + "}",
        '{"name": "' + "a" * 300_000 + '"}',
        "[]",
        "null",
        '"name"',
        "1",
    ],
)
def test_bodies_that_are_no_plain_json_are_rejected(client: Client, body: str | bytes) -> None:
    response = post(client, body)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/json"


def test_other_content_types_are_rejected_in_the_same_shape(client: Client) -> None:
    response = client.post("/names", "name=a", content_type="application/x-www-form-urlencoded")
    assert (response.status_code, response.json()["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(("address", "status"), [("/nowhere", 404), ("/breaks", 500), ("/forbids", 403)])
def test_a_machine_gets_json_and_a_browser_a_page_with_the_requests_id(
    client: Client, address: str, status: int
) -> None:
    to_machine = client.get(address)
    assert to_machine.status_code == status
    assert to_machine.json()["error"]["requestId"] == to_machine["X-Request-ID"]
    to_browser = client.get(address, headers=BROWSER)
    page = to_browser.content.decode()
    assert (to_browser.status_code, to_browser["X-Request-ID"] in page) == (status, True)
    assert 'href="/"' in page
    assert "secret" not in page
    assert "secret" not in to_machine.content.decode()


def test_a_host_that_is_not_ours_is_a_bad_request(client: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["voice.example.com"]
    response = client.get("/nowhere", headers={"Host": "x:99999"})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_request")

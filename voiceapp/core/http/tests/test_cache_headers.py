"""No cache stores responses: secrets, numbers, and the 404 for a stranger."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from agents.organizations.services import issue_key
from agents.tests.builders import make_organization
from voiceapp.core.http.security_headers import CREDENTIALS
from voiceapp.tests import test_routes
from voiceapp.tests.test_routes import ROUTES, Visitor, example, row_of

pytestmark = pytest.mark.embedded

visitors = test_routes.visitors
# The same for everyone: revalidated by their ETag, but may be stored.
PUBLIC = {"/api/docs", "/api/schema", "/sounds/hold.wav"}


@pytest.mark.parametrize(
    "name", ["nobody", "API key", "X-API-Key", "Clerk", "Clerk's cookie", "internal key", "session"]
)
def test_no_response_may_be_kept(name: str, visitors: dict[str, Visitor]) -> None:
    walked = 0
    for route in ROUTES:
        if route.startswith("/static/") or (route.startswith("/admin/") and name != "session"):
            continue  # the same files, and the same login page, for all of them
        row = row_of(route, test_routes.HTTP_ROWS)
        for method in (*(row.methods if row else ()), "PUT"):
            response, walked = visitors[name].send(method, example(route)), walked + 1
            kept = "no-store" not in response.get("Cache-Control", "")
            assert kept == (route in PUBLIC and response.status_code == 200), (method, route, response.status_code)
            is_api = route.startswith(("/api/voice", "/api/realtime", "/voice-session", "/realtime_session"))
            if is_api:
                assert set(CREDENTIALS) <= {each.strip() for each in response["Vary"].split(",")}, (method, route)
    assert walked > 30


@pytest.mark.django_db
def test_a_refusal_for_too_many_requests_is_not_kept_either(settings: Settings) -> None:
    settings.LIMIT_READ = "1/m"
    key = issue_key(make_organization("Harbour"), name="website").text
    client = Client(headers={"Authorization": f"Bearer {key}"})
    statuses = [client.get("/api/voice/session") for _ in range(2)]
    assert [each.status_code for each in statuses] == [200, 429]
    assert {each["Cache-Control"] for each in statuses} == {"no-store"}

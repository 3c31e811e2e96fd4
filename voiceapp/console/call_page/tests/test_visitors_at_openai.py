"""A visitor's call to OpenAI itself is one of the budget's, and its secret binds the length of a response."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from agents.call_page.models import CallAccess
from agents.organizations.models import Organization
from sessions.calls.models import Call
from sessions.calls.spending import MOST_OUTPUT_TOKENS
from sessions.visitors.models import VisitorCall
from voiceapp.providers.openai.client import ClientSecret, OpenAIClient
from voiceapp.simulators.openai.tests.running import running_openai

from ..access import VISITOR_HEADER
from ..visitor_tokens import VisitorToken
from .conftest import open_to
from .test_call_page import member_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def openai(settings: Settings) -> Iterator[None]:
    settings.OPENAI_API_KEY = "sk-of-the-server"
    with running_openai(keys=[settings.OPENAI_API_KEY]) as running:
        settings.OPENAI_BASE_URL = running.base_url
        yield


@pytest.fixture
def minted(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The sessions for which secrets were requested."""
    sessions: list[dict[str, Any]] = []
    wanted = OpenAIClient.create_client_secret

    def create(client: OpenAIClient, session: dict[str, Any], **more: Any) -> ClientSecret:
        sessions.append(session)
        return wanted(client, session, **more)

    monkeypatch.setattr(OpenAIClient, "create_client_secret", create)
    return sessions


def begin(organization: Organization, client: Client, **headers: str) -> int:
    path = f"/call/{organization.slug}/realtime"
    return client.post(path, {}, content_type="application/json", headers=headers).status_code


@pytest.mark.usefixtures("openai")
def test_what_it_may_cost_is_reserved_and_bound(harbour: Organization, minted: list[dict[str, Any]]) -> None:
    open_to(harbour, CallAccess.LINK)
    token = VisitorToken.issue(harbour.pk)[0]
    assert begin(harbour, Client(enforce_csrf_checks=True), **{VISITOR_HEADER: token}) == 201
    call = Call.objects.get()
    assert VisitorCall.objects.get().call == call
    assert minted[0]["max_output_tokens"] == MOST_OUTPUT_TOKENS
    assert begin(harbour, Client(enforce_csrf_checks=True), **{VISITOR_HEADER: token}) == 409
    assert begin(harbour, member_of(harbour)) == 201
    assert "max_output_tokens" not in minted[1]
    assert VisitorCall.objects.count() == 1

"""LiveKit, and organizations whose call pages differ in who may call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from agents.call_page.models import CallAccess, CallPage
from agents.organizations.models import Organization
from agents.tests.builders import make_agent, make_organization
from voiceapp.simulators.livekit.tests.running import RunningLiveKit, name_livekit, running_livekit


@pytest.fixture
def livekit(settings: Settings) -> Iterator[RunningLiveKit]:
    with running_livekit() as running:
        name_livekit(settings, running.url)
        yield running


def open_to(organization: Organization, access: CallAccess, sites: str = "", **values: object) -> CallPage:
    """Its page, for visitors, with an agent that answers."""
    if not organization.agents.exists():
        make_agent(organization)
    return CallPage.objects.create(organization=organization, who_may_call=access, sites=sites, **values)


@pytest.fixture
def harbour() -> Organization:
    return make_organization("Harbour")


@pytest.fixture
def meadow() -> Organization:
    return make_organization("Meadow")

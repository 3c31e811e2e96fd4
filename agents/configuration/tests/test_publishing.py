"""Publishing copies the draft, rolling back moves a pointer, taking out is felt at once."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from agents.catalog.models import Item
from agents.catalog.services import count_left, mark_available, mark_sold_out
from agents.configuration.models import Agent, Persona
from agents.configuration.services import publish_agent, roll_back_agent
from agents.tests.builders import item_named, make_agent, make_menu, make_organization
from voiceapp.core.errors import ApplicationError

pytestmark = pytest.mark.django_db


def test_publishing_copies_every_field_of_the_draft() -> None:
    agent = make_agent(make_organization(), greeting="Ciao!", vad_silence_ms=700, tools=["end_call"])
    version = agent.published_version
    assert version is not None
    assert (version.number, version.published_by) == (1, "alice")
    assert len(Persona.persona_fields()) >= 20
    for name in Persona.persona_fields():
        assert getattr(version, name) == getattr(agent, name), name


def test_what_is_published_is_the_row_and_not_the_object_at_hand() -> None:
    agent = make_agent(make_organization())
    Agent.objects.filter(pk=agent.pk).update(greeting="From the row")
    agent.greeting = "Not saved"
    assert publish_agent(agent, by="alice", note="why").greeting == "From the row"


def test_versions_are_numbered_and_a_change_of_the_draft_leaves_them_alone() -> None:
    agent = make_agent(make_organization())
    agent.prompt = "Something new"
    agent.save()
    second = publish_agent(agent, by="bob", note="New prompt")
    agent.refresh_from_db()
    assert agent.published_version == second
    assert [(version.number, version.prompt) for version in agent.versions.all()] == [
        (2, "Something new"),
        (1, "You are Giulia."),
    ]


def test_rolling_back_lets_an_earlier_version_answer_and_keeps_the_draft() -> None:
    agent = make_agent(make_organization())
    agent.prompt = "Something new"
    agent.save()
    publish_agent(agent, by="alice")
    roll_back_agent(agent, number=1)
    agent.refresh_from_db()
    assert agent.published_version is not None
    assert (agent.published_version.number, agent.prompt) == (1, "Something new")
    assert publish_agent(agent, by="alice").number == 3


def test_rolling_back_to_what_never_was_is_refused() -> None:
    organization = make_organization()
    agent = make_agent(organization)
    make_agent(organization, name="Other", is_default=False)
    with pytest.raises(ApplicationError, match="Giulia has no version 2"):
        roll_back_agent(agent, number=2)


@pytest.fixture
def tiramisu() -> Item:
    organization = make_organization()
    make_menu(organization)
    return item_named(organization, "Tiramisu")


def test_taken_out_is_out_until_it_is_brought_back(tiramisu: Item) -> None:
    mark_sold_out(tiramisu)
    assert not tiramisu.is_available_at(timezone.now() + dt.timedelta(days=365))
    mark_available(tiramisu)
    assert tiramisu.is_available_at(timezone.now())


def test_an_item_that_is_out_until_a_time_comes_back_by_itself(tiramisu: Item) -> None:
    until = timezone.now() + dt.timedelta(hours=2)
    mark_sold_out(tiramisu, until=until)
    assert not tiramisu.is_available_at(until - dt.timedelta(seconds=1))
    assert tiramisu.is_available_at(until)


def test_a_count_that_ran_out_is_no_longer_counted_when_it_comes_back(tiramisu: Item) -> None:
    count_left(tiramisu, left=0)
    assert not tiramisu.is_available_at(timezone.now())
    mark_available(tiramisu)
    counts = [tiramisu.count_left]
    count_left(tiramisu, left=4)
    mark_available(tiramisu)
    counts.append(tiramisu.count_left)
    count_left(tiramisu, left=None)
    assert [*counts, tiramisu.count_left] == [None, 4, None]
    with pytest.raises(ApplicationError):
        count_left(tiramisu, left=-1)

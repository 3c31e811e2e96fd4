"""Saved views of the list of calls: own, shared by those who may, one of them the default."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sessions.call_lists.models import SavedView
from sessions.call_lists.services import MOST_VIEWS, forget_number

from .world import World

LIST = "/admin/voice_sessions/call/"
FAILED = "cost_from=0.01&state=failed"
pytestmark = pytest.mark.embedded


def save(client: Client, **posted: str) -> str:
    response = client.post(f"{LIST}views/", {"name": "Watch list", "query": FAILED, **posted}, follow=True)
    assert response.status_code == 200
    return str(response.content.decode())


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def colleague(harbour: World) -> Client:
    return client_of(harbour.member("staff", "bob"))


def test_a_view_keeps_the_query_and_leads_to_it(client_of_alice: Client, colleague: Client) -> None:
    page = save(client_of_alice, query="?state=failed&cost_from=0.01&p=3&agent=&view=all")
    view = SavedView.objects.get(name="Watch list")
    assert view.query == FAILED
    assert f'href="?cost_from=0.01&amp;state=failed&amp;view={view.pk}" aria-current="page"' in page
    assert "Watch list" not in colleague.get(LIST).content.decode()


def test_a_shared_view_is_seen_and_not_changed_by_those_who_may_not_share(
    harbour: World, client_of_alice: Client, colleague: Client
) -> None:
    save(client_of_alice, share=str(harbour.organization.pk))
    view = SavedView.objects.get(name="Watch list")
    assert "Watch list" in colleague.get(LIST).content.decode()
    page = colleague.post(f"{LIST}views/{view.pk}/delete/", follow=True).content.decode()
    assert "This view does not exist any more." in page
    page = save(colleague, name="Mine for all", share=str(harbour.organization.pk))
    assert "You may not share views with this organization." in page
    assert SavedView.objects.filter(name__in=("Watch list", "Mine for all")).count() == 1


def test_a_stranger_sees_no_view_and_shares_none(harbour: World, meadow: World, client_of_alice: Client) -> None:
    charlie = client_of(User.objects.get(username="charlie-meadow"))
    save(client_of_alice, share=str(harbour.organization.pk))
    view = SavedView.objects.get(name="Watch list")
    assert "Watch list" not in charlie.get(f"{LIST}?view={view.pk}").content.decode()
    charlie.post(f"{LIST}views/{view.pk}/delete/")
    save(charlie, name="Stranger", share=str(harbour.organization.pk))
    assert set(SavedView.objects.filter(name__in=("Watch list", "Stranger"))) == {view}


def test_the_list_opens_with_ones_own_default_before_the_shared_one(
    harbour: World, client_of_alice: Client, colleague: Client
) -> None:
    save(client_of_alice, name="Everybody's", share=str(harbour.organization.pk), is_default="on")
    shared = SavedView.objects.get(name="Everybody's")
    assert client_of_alice.get(LIST).headers["Location"] == f"?{FAILED}&view={shared.pk}"
    save(client_of_alice, name="Mine", query="state=missed", is_default="on")
    save(client_of_alice, name="Mine too", query="kind=room", is_default="on")
    mine = SavedView.objects.get(is_default=True, organization=None)
    assert mine.name == "Mine too"
    assert client_of_alice.get(LIST).headers["Location"] == f"?kind=room&view={mine.pk}"
    assert colleague.get(LIST).headers["Location"] == f"?{FAILED}&view={shared.pk}"
    assert client_of_alice.get(f"{LIST}?view=all").status_code == 200
    client_of_alice.post(f"{LIST}views/{mine.pk}/no-default/")
    assert client_of_alice.get(LIST).headers["Location"] == f"?{FAILED}&view={shared.pk}"


@pytest.mark.parametrize("query", ["number=0176555", "q=0176+555+123"])
def test_a_view_that_names_a_caller_is_not_shared_and_goes_with_the_callers_data(
    query: str, harbour: World, client_of_alice: Client
) -> None:
    assert "which not everybody in the organization may see" in save(
        client_of_alice, query=query, share=str(harbour.organization.pk)
    )
    save(client_of_alice, query=query)
    assert forget_number(harbour.organization, "+49301112223") == 0
    assert forget_number(harbour.organization, "+49176555123" if "123" in query else "+49176555") == 1


def test_hostile_names_and_queries_get_a_sentence_or_are_escaped(client_of_alice: Client) -> None:
    for name, sentence in (
        ("", "Give the view a name."),
        ("x" * 61, "at most 60 characters"),
        ("a\u202eb", "Remove the invisible character"),
    ):
        assert sentence in save(client_of_alice, name=name)
    assert "Shorten it." in save(client_of_alice, query="q=" + "x" * 1100)
    page = save(client_of_alice, name="<b>bold</b>", query='state=failed&q="><script>alert(1)</script>')
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<script>alert(1)" not in page
    assert SavedView.objects.filter(organization=None, user__username="alice").count() == 1


def test_a_repeated_click_saves_one_view_and_there_are_not_too_many(alice: User, client_of_alice: Client) -> None:
    save(client_of_alice)
    save(client_of_alice, query="state=missed")
    assert SavedView.objects.get(user=alice).query == "state=missed"
    SavedView.objects.bulk_create(SavedView(user=alice, name=f"View {number}") for number in range(MOST_VIEWS - 1))
    assert f"There are {MOST_VIEWS} views already." in save(client_of_alice, name="One more")

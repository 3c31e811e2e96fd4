"""The list of calls is searched for what was said: each hit in its sentence, with a link to the second."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sessions.calls.models import Call, TranscriptLine

from .world import World

LIST = "/admin/voice_sessions/call/"


def say(call: Call, text: str, at_ms: int) -> None:
    TranscriptLine.objects.create(call=call, item_id=f"said {at_ms}", speaker="caller", text=text, spoken_at_ms=at_ms)


@pytest.fixture
def call(harbour: World) -> Call:
    call: Call = harbour[Call]
    say(call, "Hello. I am Jürgen <b>Müller</b>, 0176 12 34 567. Bye.", 83_400)
    return call


def page_of(client: Client, typed: str) -> str:
    response = client.get(LIST, {"q": typed})
    assert response.status_code == 200
    return str(response.content.decode())


def test_a_call_is_found_by_what_was_said(call: Call, client_of_alice: Client) -> None:
    page = page_of(client_of_alice, "mueller")
    assert f"{LIST}{call.pk}/change/?t=83" in page
    assert "I am Jürgen &lt;b&gt;<mark>Müller</mark>&lt;/b&gt;, 0176 12 34 567." in page


@pytest.mark.parametrize("typed", ["jurgen muller", '"jürgen"', "0176 1234567", "+49 176 1234567"])
def test_names_and_numbers_are_found_as_an_operator_types_them(typed: str, call: Call, client_of_alice: Client) -> None:
    call.organization.country = "DE"  # type: ignore[union-attr]
    call.organization.save()  # type: ignore[union-attr]
    assert f"{LIST}{call.pk}/change/?t=83" in page_of(client_of_alice, typed)


def test_what_was_said_at_another_organization_is_not_found(
    harbour: World, meadow: World, client_of_alice: Client
) -> None:
    say(meadow[Call], "A very secret pizza.", 1000)
    page = page_of(client_of_alice, "pizza")
    assert str(meadow[Call].pk) not in page
    assert "secret" not in page


@pytest.mark.parametrize(
    "typed",
    ['"', "'; --", "%", "\\", "NEAR(a b)", "the and or", "🍕", "\u202eשלום\u202c", "x" * 10_000, "\x00", "a OR", "*"],
)
def test_hostile_searches_get_a_list(typed: str, call: Call, client_of_alice: Client) -> None:
    page_of(client_of_alice, typed)


def test_a_search_that_cannot_be_understood_says_so(call: Call, client_of_alice: Client) -> None:
    assert "Search for at most 200 characters." in page_of(client_of_alice, "x" * 10_000)
    assert "Search for at least one word or number." in page_of(client_of_alice, "🍕")


def test_without_a_search_there_is_no_column_of_hits(call: Call, client_of_alice: Client) -> None:
    assert "?t=83" not in client_of_alice.get(LIST).content.decode()


def test_a_search_takes_the_same_number_of_queries_for_one_and_for_thirty(
    harbour: World, call: Call, client_of_alice: Client
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page_of(client_of_alice, "muller")
        return len(captured)

    queries()
    few = queries()
    for number in range(30):
        say(Call.objects.create(organization=harbour.organization), "Müller.", number)
    assert queries() == few

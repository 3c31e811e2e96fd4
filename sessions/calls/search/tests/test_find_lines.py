"""Lines are found as soon as they are written, by those who may read them, in two queries."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from agents.organizations.access import principal_of
from agents.organizations.models import Organization
from agents.organizations.principal import Kind, Principal
from agents.tests.builders import make_organization, make_user
from sessions.calls.facts import LineSpoken, Speaker
from sessions.calls.models import Call, TranscriptLine
from sessions.calls.search.queries import find_lines, first_hits, read_typed, said_in_call
from sessions.calls.services import record_facts

pytestmark = pytest.mark.django_db
EVERYBODY = Principal("root", sees_all=True)


@pytest.fixture
def harbour() -> Organization:
    return make_organization("Harbour")


@pytest.fixture
def call(harbour: Organization) -> Call:
    return Call.objects.create(organization=harbour)


def say(call: Call, text: str, *, item_id: str = "", at_ms: int = 0) -> None:
    """As the bridge writes it."""
    item_id = item_id or f"item {text}"
    record_facts(call.pk, [LineSpoken(item_id, Speaker.CALLER, text, spoken_at_ms=at_ms, turn=1)])


def found(typed: str, principal: Principal = EVERYBODY, *, limit: int = 10) -> list[str]:
    return [line.text for line in find_lines(principal, read_typed(principal, typed), limit=limit).lines]


def test_the_newest_lines_come_first(call: Call) -> None:
    for text in ("A pizza Funghi.", "Two pizzas.", "The pizza is cold."):
        say(call, text)
    assert found("pizza") == ["The pizza is cold.", "A pizza Funghi."]
    assert found("pizza*") == ["The pizza is cold.", "Two pizzas.", "A pizza Funghi."]
    assert found("funghi pizza") == ["A pizza Funghi."]
    assert found('"funghi pizza"') == []
    assert found('"pizza funghi"') == ["A pizza Funghi."]


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("It's 0176, 12 34 567.", "+49 176 1234567"),
        ("It's +49 176 1234567.", "0176 1234567"),
        ("It's 0049 176 1234567.", "0176/1234567"),
        ("It's 0 1 7 6 1 2 3 4 5 6 7.", "0176 1234567"),
        ("Müller, Jürgen Müller.", "juergen mueller"),
        ("Mueller.", "Müller"),
        ("O'Brien is the name.", "obrien"),
        ("That's 1,250.00 euros.", "1250"),
        ("At 7pm.", "7 pm"),
        ("東京へ行く", "東京"),
        ("مُحَمَّد", "محمد"),
        ("a·b \\ % _ '' \" x", "a b x"),
    ],
)
def test_what_was_said_is_found_in_any_notation(call: Call, said: str, typed: str) -> None:
    say(call, said)
    assert found(typed) == [said]


@pytest.mark.parametrize(
    "typed", ["'; DROP TABLE x; --", "a OR b", "NEAR(pizza, 2)", "words : x", "^x", "é" * 190, "x*" * 90]
)
def test_hostile_words_find_nothing(call: Call, typed: str) -> None:
    say(call, "A pizza.")
    assert found(typed) == []


def test_only_frequent_words_are_words_as_well(call: Call) -> None:
    say(call, "To be or not to be.")
    assert found("to be or not") == ["To be or not to be."]


def test_a_newer_text_of_an_item_replaces_its_words(call: Call) -> None:
    say(call, "A pizza Fun", item_id="1")
    say(call, "A calzone.", item_id="1")
    assert found("pizza") == []
    assert found("calzone") == ["A calzone."]
    line = TranscriptLine.objects.get()
    line.text = "A salad."
    line.save(update_fields=["text"])
    assert found("calzone") == []
    assert found("salad") == ["A salad."]


def test_a_deleted_line_is_not_found(call: Call) -> None:
    say(call, "A pizza.")
    call.delete()
    assert found("pizza") == []


def test_a_line_is_searchable_if_and_only_if_it_is_kept(call: Call) -> None:
    """Whatever ends a process ends its transaction: the index has the line, or neither is there."""
    with transaction.atomic():
        say(call, "A pizza.")
        assert found("pizza") == ["A pizza."]
        transaction.set_rollback(True)
    assert found("pizza") == []


def test_no_text_is_changed_without_its_words(call: Call) -> None:
    say(call, "A pizza.")
    with pytest.raises(TypeError, match="words"):
        TranscriptLine.objects.update(text="A salad.")


def test_strangers_find_nothing(call: Call, harbour: Organization) -> None:
    say(call, "A pizza.")
    alice = principal_of(make_user("alice", harbour))
    charlie = principal_of(make_user("charlie", make_organization("Meadow")))
    assert found("pizza", alice) == ["A pizza."]
    assert found("pizza", charlie) == []
    assert found("pizza", Principal("")) == []
    assert not Call.objects.filter(said_in_call(charlie, read_typed(charlie, "pizza")))
    assert first_hits(charlie, read_typed(charlie, "pizza"), [call.pk]) == {}


def test_who_has_no_organization_finds_what_was_said_on_their_own_calls() -> None:
    say(Call.objects.create(owner="user_alice"), "A pizza.")
    assert found("pizza", Principal("user_alice", kind=Kind.CLERK)) == ["A pizza."]
    assert found("pizza", Principal("user_charlie", kind=Kind.CLERK)) == []


def test_pages_follow_one_another(call: Call) -> None:
    for number in range(5):
        say(call, f"Pizza number {number}.")
    search, before, texts = read_typed(EVERYBODY, "pizza"), None, []
    for _ in range(3):
        page = find_lines(EVERYBODY, search, limit=2, before=before)
        texts.append([line.text[-2] for line in page.lines])
        before = page.before
    assert texts == [["4", "3"], ["2", "1"], ["0"]]
    assert before is None


def test_two_queries_find_any_number_of_lines(call: Call) -> None:
    for number in range(20):
        say(Call.objects.create(organization=call.organization), f"Pizza {number}.")
    with CaptureQueriesContext(connection) as queries:
        lines = find_lines(EVERYBODY, read_typed(EVERYBODY, "pizza"), limit=20).lines
        assert len({str(line.call.organization) for line in lines}) == 1
    assert len(queries) == 2


def test_of_each_call_the_first_line_that_was_found_is_shown(call: Call) -> None:
    say(call, "One pizza.", at_ms=5000)
    say(call, "Pizza, I said.", at_ms=9000)
    say(call, "Hello.", at_ms=1000)
    [hit] = first_hits(EVERYBODY, read_typed(EVERYBODY, "pizza"), [call.pk]).values()
    assert hit.text == "One pizza."

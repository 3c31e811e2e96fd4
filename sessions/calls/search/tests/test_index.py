"""The index lasts: through a change of the table, and after a rebuild."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, models

from agents.organizations.principal import Principal
from sessions.calls.models import Call, TranscriptLine
from sessions.calls.search.queries import find_lines, read_typed
from sessions.calls.search.words_field import scope_of

EVERYBODY = Principal("root", sees_all=True)


def say(text: str) -> TranscriptLine:
    return TranscriptLine.objects.create(
        call=Call.objects.create(), item_id="1", speaker="caller", text=text, spoken_at_ms=0
    )


def found(typed: str) -> list[str]:
    return [line.text for line in find_lines(EVERYBODY, read_typed(EVERYBODY, typed), limit=10).lines]


@pytest.mark.django_db
def test_a_rebuild_finds_what_had_other_words() -> None:
    line = say("A pizza.")
    TranscriptLine.objects.filter(pk=line.pk).update(words="calzone ")
    assert found("pizza") == []
    out = StringIO()
    call_command("rebuild_call_search", stdout=out, stderr=StringIO())
    assert found("pizza") == ["A pizza."]
    assert found("calzone") == []
    assert "1 lines had other words" in out.getvalue()
    call_command("rebuild_call_search", stdout=out, stderr=StringIO())
    assert "0 lines had other words" in out.getvalue()


@pytest.mark.django_db
def test_the_words_name_whose_they_are() -> None:
    assert say("A pizza.").words == f"{scope_of(None, '')} a pizza "


@pytest.mark.django_db(transaction=True)
def test_lines_are_found_after_a_migration_has_changed_their_table() -> None:
    say("A pizza.")
    field: models.Field[str | None, str | None] = models.CharField(max_length=9, null=True)
    field.set_attributes_from_name("mood")
    with connection.constraint_checks_disabled(), connection.schema_editor() as editor:
        editor.add_field(TranscriptLine, field)
    try:
        say("A calzone.")
        assert found("pizza") == ["A pizza."]
        assert found("calzone") == ["A calzone."]
        TranscriptLine.objects.all().delete()
        assert found("calzone") == []
    finally:
        with connection.constraint_checks_disabled(), connection.schema_editor() as editor:
            editor.remove_field(TranscriptLine, field)
    say("A salad.")
    assert found("salad") == ["A salad."]

"""A stored sentence is English for machines, and in the reader's language for people."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.utils import display_for_value
from django.template import Context, Template
from django.utils import translation

from sessions.messages.models import OutboxMessage
from voiceapp.core.errors import ApplicationError
from voiceapp.core.kept_texts import KeptText, kept, stored
from voiceapp.providers.errors import ProviderError

GERMAN = "hat 503 zurückgegeben"


def fault() -> ProviderError:
    return ProviderError("webhook endpoint", KeptText("returned %(status)d", status=503))


@pytest.mark.django_db
def test_what_a_worker_stores_is_read_in_each_language() -> None:
    message = OutboxMessage.objects.create(topic="a", partition_key="b", body={}, last_error=str(fault()))
    found = OutboxMessage.objects.get(pk=message.pk).last_error
    assert (found, json.dumps(found)) == ("webhook endpoint: returned 503", '"webhook endpoint: returned 503"')
    assert OutboxMessage.objects.filter(last_error__icontains="returned 503").exists()
    with translation.override("de"):
        assert Template("{{ text }}").render(Context({"text": found})) == f"webhook endpoint: {GERMAN}"
        assert f"{found}." == f"webhook endpoint: {GERMAN}."
        assert display_for_value(found, "") == f"webhook endpoint: {GERMAN}"
        # What is stored again by somebody who reads German stays English.
        assert stored(str(ApplicationError(found))).startswith("webhook endpoint: returned 503")


def test_a_text_within_a_text_is_translated_too() -> None:
    outer = KeptText("Line %(line)d: %(why)s", line=2, why=KeptText("returned %(status)d", status=503))
    with translation.override("de"):
        assert str(kept(stored(outer))) == f"Zeile 2: {GERMAN}"


@pytest.mark.parametrize("text", ["", "100 % of %(x)s", "a\x1eb", "a\x1e[1]", 'a\x1e["%(x)s", {}]', "<b>"])
def test_other_texts_are_as_they_were(text: str) -> None:
    assert kept(text) == text.partition("\x1e")[0] or text.endswith("{}]")


def test_what_is_too_long_is_kept_without_its_parts() -> None:
    long = KeptText("no response (%(why)s)", why="x" * 300)
    assert stored(long, longest=330) == f"no response ({'x' * 300})"
    assert long[:1000] is long
    assert len(long[:20]) == 20

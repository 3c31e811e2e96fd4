"""An agent says by itself what its own settings say, else a sentence in its language."""

from __future__ import annotations

import dataclasses

import pytest

from agents.configuration.sentences import SENTENCES, Sentences, sentences_of
from sessions.tests.builders import make_garage
from sessions.tools.briefing import brief
from voiceapp.core.translations.names import ENGLISH_NAMES


def test_each_language_has_sentences_of_its_own() -> None:
    assert set(SENTENCES) == set(ENGLISH_NAMES)
    for field in dataclasses.fields(Sentences):
        said = [getattr(sentences, field.name) for sentences in SENTENCES.values()]
        assert all(said)
        assert len(set(said)) == len(said), field.name


@pytest.mark.parametrize(
    ("language", "known"), [("de-CH", "de"), ("es_419", "es"), ("FR", "fr"), ("ja", "en"), ("", "en")]
)
def test_a_region_does_not_matter_and_english_stands_behind_all(language: str, known: str) -> None:
    assert sentences_of(language) is SENTENCES[known]


@pytest.mark.django_db
def test_an_agent_without_sentences_of_its_own_speaks_its_language() -> None:
    call = make_garage()[1]
    version = call.agent_version
    assert version is not None
    version.language = "de"
    said = brief(call).phrases
    assert (said.reprompt, said.time_goodbye) == (SENTENCES["de"].reprompt, SENTENCES["de"].time_goodbye)
    version.reprompt = "Hallo?"
    assert brief(call).phrases.reprompt == "Hallo?"

"""Retired names of models and voices are replaced as the settings say; all others go through as they are."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from voiceapp.providers.openai.fields import model_used, voice_used
from voiceapp.simulators.openai import MODELS
from voiceapp.simulators.openai.validation import VOICES


@pytest.mark.parametrize(
    "retired",
    [
        "gpt-4o-realtime-preview",
        "gpt-4o-realtime-preview-2024-12-17",
        "gpt-4o-realtime-preview-2025-06-03",
        "gpt-4o-mini-realtime-preview-2024-12-17",
        "gpt-realtime-mini-2025-10-06",
    ],
)
def test_a_retired_model_becomes_one_that_openai_knows(retired: str) -> None:
    assert retired not in MODELS
    assert model_used(retired) in MODELS


@pytest.mark.parametrize("spoken", ["alloy", "echo", "fable", "onyx", "nova", "shimmer", "verse"])
def test_every_voice_of_the_old_interface_becomes_one_that_openai_knows(spoken: str) -> None:
    assert voice_used(spoken) in VOICES


def test_names_that_are_known_or_new_go_through_as_they_are() -> None:
    for name in [*MODELS, "gpt-realtime-9", "", "*", "[gpt]"]:
        assert model_used(name) == name
    for name in [*VOICES, "brand-new"]:
        assert voice_used(name) == name


def test_the_settings_decide(settings: Settings) -> None:
    settings.OPENAI_MODEL_ALIASES = {"gpt-old*": "gpt-new", "gpt-older": "gpt-newer"}
    settings.OPENAI_VOICE_ALIASES = {"sage": "marin"}
    assert [model_used(name) for name in ("gpt-old", "gpt-old-2", "gpt-older", "gpt-new")] == [
        "gpt-new",
        "gpt-new",
        "gpt-newer",
        "gpt-new",
    ]
    assert (voice_used("sage"), voice_used("marin")) == ("marin", "marin")

"""Every field of a session has OpenAI's form before it is sent; the simulator refuses what would not be sent."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from voiceapp.core.languages import ISO_639_1, read_language, validate_language
from voiceapp.providers.openai.client import browser_session, realtime_session, semantic_vad, server_vad
from voiceapp.providers.openai.fields import (
    MAX_INSTRUCTIONS_LENGTH,
    TRANSCRIBED,
    Replaced,
    fit_model,
    fit_session,
    transcription_language,
    validate_model,
    validate_voice,
)
from voiceapp.simulators.openai.schema import InvalidRequest
from voiceapp.simulators.openai.validation import LANGUAGES, VOICES, check_event, check_session

TOOL: dict[str, object] = {"type": "function", "name": "end_call", "description": "", "parameters": {"type": "object"}}


def session(**changes: Any) -> dict[str, Any]:
    turns = changes.pop("turn_detection", None) or server_vad(
        threshold=0.5, prefix_padding_ms=300, silence_ms=500, interrupts=True
    )
    fields = {"instructions": "Be brief.", "voice": "marin", "transcription_model": "gpt-transcribe", "tools": [TOOL]}
    return realtime_session(turn_detection=turns, **(fields | changes))


def vad(**changes: Any) -> dict[str, object]:
    return server_vad(**({"threshold": 0.5, "prefix_padding_ms": 300, "silence_ms": 500, "interrupts": True} | changes))


def test_product_and_simulator_know_the_same_languages_and_voices(settings: Settings) -> None:
    assert set(LANGUAGES) == TRANSCRIBED
    assert set(VOICES) == set(settings.OPENAI_VOICES)
    assert TRANSCRIBED <= ISO_639_1


@pytest.mark.parametrize(
    ("typed", "kept", "sent"),
    [
        ("en", "en", "en"),
        ("en-US", "en-US", "en"),
        ("EN_us", "en-US", "en"),
        ("en-UK", "en-GB", "en"),
        ("de-CH", "de-CH", "de"),
        ("pt-BR", "pt-BR", "pt"),
        ("es-419", "es-419", "es"),
        ("zh-Hant", "zh-Hant", "zh"),
        ("zh-hans-cn", "zh-Hans-CN", "zh"),
        ("sr-Latn-RS", "sr-Latn-RS", "sr"),
        ("nb-NO", "nb-NO", "no"),
        ("nn", "nn", "no"),
        ("iw", "he", "he"),
        ("fil-PH", "tl-PH", "tl"),
        ("ga", "ga", ""),
    ],
)
def test_a_language_is_kept_in_one_spelling_and_sent_as_iso_639_1(typed: str, kept: str, sent: str) -> None:
    assert read_language(typed) == kept
    assert transcription_language(typed) == sent
    fitted, _ = fit_session(session(language=typed))
    assert fitted["audio"]["input"]["transcription"].get("language", "") == sent
    check_session(fitted)


@pytest.mark.parametrize(
    "typed", ["English", "eng", "deu", "xx", "en-XX", "e", "", "en-US-POSIX", "german", "en US", "english-us"]
)
def test_what_is_no_language_is_refused_with_what_to_write(typed: str) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_language(typed)
    assert "like en" in refused.value.messages[0]


@pytest.mark.parametrize("language", ["en-US", "pt-BR", "zh-Hant", "eng", "English", "xx", "EN", ""])
def test_the_simulator_refuses_a_language_as_it_is_written(language: str) -> None:
    raw = session()
    raw["audio"]["input"]["transcription"]["language"] = language
    with pytest.raises(InvalidRequest) as refused:
        check_session(raw)
    assert (refused.value.code, refused.value.param) == (
        "invalid_value",
        "session.audio.input.transcription.language",
    )
    fitted, _ = fit_session(raw)
    check_session(fitted)


TURNS = "session.audio.input.turn_detection."
BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"voice": "nova-2"}, "voice", "session.audio.output.voice"),
    ({"voice": "Marin"}, "voice", "session.audio.output.voice"),
    ({"voice": "voice_"}, "voice", "session.audio.output.voice"),
    ({"turn_detection": vad(threshold=1.5)}, "threshold", TURNS + "threshold"),
    ({"turn_detection": vad(threshold=-0.1)}, "threshold", TURNS + "threshold"),
    ({"turn_detection": vad(prefix_padding_ms=6000)}, "prefix_padding_ms", TURNS + "prefix_padding_ms"),
    ({"turn_detection": vad(silence_ms=-1)}, "silence_duration_ms", TURNS + "silence_duration_ms"),
    ({"turn_detection": vad(silence_ms=10_001)}, "silence_duration_ms", TURNS + "silence_duration_ms"),
    ({"turn_detection": vad(silence_ms=500.5)}, "silence_duration_ms", TURNS + "silence_duration_ms"),
    ({"turn_detection": semantic_vad(eagerness="eager", interrupts=True)}, "eagerness", TURNS + "eagerness"),
    ({"turn_detection": {"type": "loud_vad"}}, "turn_detection", TURNS + "type"),
    ({"noise_reduction": "strong"}, "noise_reduction", "session.audio.input.noise_reduction.type"),
    ({"tools": [TOOL | {"name": "end call"}]}, "tools", "session.tools[0].name"),
    ({"tools": [TOOL | {"name": "x" * 65}]}, "tools", "session.tools[0].name"),
    ({"tools": [TOOL | {"name": ""}]}, "tools", "session.tools[0].name"),
    ({"instructions": "word\n" * 20_000}, "instructions", "session.instructions"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "field", "param"), BAD, ids=range(len(BAD)))
def test_a_field_that_openai_refuses_is_replaced_and_named(changes: dict[str, Any], field: str, param: str) -> None:
    raw = session(**changes)
    with pytest.raises(InvalidRequest) as refused:
        check_session(raw)
    assert refused.value.param == param
    fitted, replaced = fit_session(raw)
    check_session(fitted)
    assert [each.field for each in replaced] == [field]


@pytest.mark.parametrize("parameters", [{"type": "string"}, {}, None, []])
def test_the_simulator_refuses_a_function_without_an_objects_schema(parameters: object) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_session(session(tools=[TOOL | {"parameters": parameters}]))
    assert refused.value.param == "session.tools[0].parameters"


@pytest.mark.parametrize(
    ("metadata", "param"),
    [
        ({str(each): "x" for each in range(17)}, "response.metadata"),
        ({"k" * 65: "x"}, "response.metadata"),
        ({"key": "x" * 513}, "response.metadata.key"),
        ({"key": 5}, "response.metadata.key"),
        (["key"], "response.metadata"),
    ],
)
def test_the_simulator_holds_metadata_to_its_limits(metadata: object, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_event({"type": "response.create", "response": {"metadata": metadata}})
    assert refused.value.param == param
    check_event({"type": "response.create", "response": {"metadata": {"k" * 64: "x" * 512}}})


@pytest.mark.parametrize("item_id", ["", "x" * 33, "two words", "umläut", "a/b"])
def test_the_simulator_refuses_an_item_id_of_another_form(item_id: str) -> None:
    item = {"type": "function_call_output", "call_id": "call_1", "output": "{}"}
    with pytest.raises(InvalidRequest) as refused:
        check_event({"type": "conversation.item.create", "item": item | {"id": item_id}})
    assert refused.value.param == "item.id"
    check_event({"type": "conversation.item.create", "item": item | {"id": "ours_1"}})


def test_what_is_right_is_sent_as_it_is() -> None:
    raw = session(language="de", noise_reduction="near_field", keywords=["Margherita"])
    assert fit_session(raw) == (raw, [])


def test_a_custom_voice_is_sent_as_an_object() -> None:
    validate_voice("voice_1a2B3c")
    fitted, replaced = fit_session(session(voice="voice_1a2B3c"))
    assert (fitted["audio"]["output"]["voice"], replaced) == ({"id": "voice_1a2B3c"}, [])
    check_session(fitted)


def test_a_voice_that_openai_retired_is_sent_as_its_successor() -> None:
    fitted, replaced = fit_session(session(voice="nova"))
    assert (fitted["audio"]["output"]["voice"], replaced) == ("coral", [])


@pytest.mark.parametrize("is_text_only", [False, True])
def test_a_browsers_session_is_fitted_by_the_same_rules(is_text_only: bool) -> None:
    raw = browser_session(
        model="gpt-realtime", voice="nobody", instructions="", transcription_model="w", is_text_only=is_text_only
    )
    fitted, replaced = fit_session(raw)
    check_session(fitted)
    assert [each.field for each in replaced] == ([] if is_text_only else ["voice"])


def test_a_model_that_is_no_name_is_replaced_by_the_servers(settings: Settings) -> None:
    assert fit_model("gpt-4o-realtime-preview-2024-12-17") == ("gpt-realtime-2.1", [])
    assert fit_model("gpt-of-tomorrow") == ("gpt-of-tomorrow", [])
    model, replaced = fit_model("the best one")
    assert model == settings.OPENAI_REALTIME_MODEL
    assert replaced == [Replaced("model", "the best one", settings.OPENAI_REALTIME_MODEL)]
    with pytest.raises(ValidationError):
        validate_model("the best one")


def test_instructions_are_cut_at_the_end_of_a_line() -> None:
    fitted, _ = fit_session(session(instructions="word word\n" * 10_000))
    text = fitted["instructions"]
    assert len(text) < MAX_INSTRUCTIONS_LENGTH
    assert text.endswith("word word")

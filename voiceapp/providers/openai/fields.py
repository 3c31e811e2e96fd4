"""The documented form of every field that we send to OpenAI Realtime: checked when it is saved and before it is sent.

Sources: docs/reference/provider-fields.md. Values that were saved before a rule existed are replaced, and the
replacement is reported, so that a call does not fail because of them.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from voiceapp.core.languages import base_language

MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")
CUSTOM_VOICE = re.compile(r"voice_[A-Za-z0-9]{1,64}")
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
MAX_TOOLS = 128
TURN_DETECTIONS = ("server_vad", "semantic_vad")
EAGERNESSES = ("low", "medium", "high", "auto")
NOISE_REDUCTIONS = ("near_field", "far_field")
THRESHOLD = (0.0, 1.0)
PREFIX_PADDING_MS = (0, 5000)
SILENCE_MS = (0, 10_000)
SECRET_LIFE_S = (10, 7200)
# Instructions and tools together may have 16,384 tokens. We cannot count tokens: a token of English text has about four
# characters, three are on the safe side.
MAX_INSTRUCTIONS_LENGTH = 16_384 * 3
# Of the prompt that people write: it leaves room for the menu, the hours and the tools.
MAX_PROMPT_LENGTH = 32_000
# Values of `audio.input.transcription.language`; other languages are recognized without the hint.
_TRANSCRIBED = """
    af ar az be bg bs ca cs cy da de el en es et fa fi fr gl he hi hr hu hy id is it ja kk kn ko lt lv mi mk mr ms
    ne nl no pl pt ro ru sk sl sr sv sw ta th tl tr uk ur vi zh
"""
TRANSCRIBED = frozenset(_TRANSCRIBED.split())
# ISO has a code for each written form of Norwegian, OpenAI one for the spoken language.
SPOKEN_AS = {"nb": "no", "nn": "no"}


def transcription_language(tag: str) -> str:
    """The hint for an agent's language: `en` of en-US. Empty if OpenAI does not accept one."""
    code = base_language(tag)
    code = SPOKEN_AS.get(code, code)
    return code if code in TRANSCRIBED else ""


def model_used(name: str) -> str:
    """The model that we request from OpenAI when a client requests `name` (OPENAI_MODEL_ALIASES)."""
    return _used(name, settings.OPENAI_MODEL_ALIASES)


def voice_used(name: str) -> str:
    """The voice that we request from OpenAI when a client requests `name` (OPENAI_VOICE_ALIASES)."""
    return _used(name, settings.OPENAI_VOICE_ALIASES)


def _used(name: str, aliases: Mapping[str, str]) -> str:
    """An exact name wins over a pattern; of the patterns the first match wins. A replacement is not replaced again."""
    if name in aliases:
        return aliases[name]
    return next((used for old, used in aliases.items() if fnmatchcase(name, old)), name)


def validate_model(name: str) -> None:
    if not MODEL.fullmatch(name):
        raise ValidationError(
            gettext("“%(name)s” is not a model name. Write one like %(example)s.")
            % {"name": name, "example": settings.OPENAI_REALTIME_MODEL}
        )


def validate_voice(name: str) -> None:
    """A voice of OpenAI (OPENAI_VOICES), an alias of one, or the id of a custom voice."""
    if voice_used(name) in settings.OPENAI_VOICES or CUSTOM_VOICE.fullmatch(name):
        return
    known = ", ".join(settings.OPENAI_VOICES)
    raise ValidationError(
        gettext("OpenAI has no voice “%(name)s”. Choose one of %(known)s, or the id of a custom voice, voice_….")
        % {"name": name, "known": known}
    )


def voice_field(name: str) -> str | dict[str, str]:
    """As in the session object: a custom voice is an object."""
    return {"id": name} if CUSTOM_VOICE.fullmatch(name) else name


def is_valid(validate: Callable[[str], None], value: str) -> bool:
    try:
        validate(value)
    except ValidationError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Replaced:
    """A field that is not sent as it is stored. `now` is empty if it is left out."""

    field: str
    was: str
    now: str = ""


def fit_model(name: str) -> tuple[str, list[Replaced]]:
    """The model to request: the stored one, its replacement, or the default of the settings."""
    used = model_used(name)
    if MODEL.fullmatch(used):
        return used, []
    return settings.OPENAI_REALTIME_MODEL, [Replaced("model", name[:80], settings.OPENAI_REALTIME_MODEL)]


def fit_voice(name: str) -> tuple[str, list[Replaced]]:
    """The voice to request, by the same rule."""
    used = voice_used(name)
    if is_valid(validate_voice, used):
        return used, []
    return settings.OPENAI_VOICE, [Replaced("voice", name[:80], settings.OPENAI_VOICE)]


def fit_session(session: Mapping[str, object]) -> tuple[dict[str, Any], list[Replaced]]:
    """A GA session object with every field in its documented form, and what was replaced or left out."""
    fitted: dict[str, Any] = dict(session)
    if "audio" in fitted:
        fitted["audio"] = copy.deepcopy(fitted["audio"])
    changes: list[Replaced] = []
    audio = fitted.get("audio") or {}
    caller, agent = audio.get("input") or {}, audio.get("output") or {}
    _fit_transcription(caller, changes)
    _fit_noise_reduction(caller, changes)
    _fit_turn_detection(caller, changes)
    if isinstance(agent.get("voice"), str):
        voice, replaced = fit_voice(agent["voice"])
        agent["voice"] = voice_field(voice)
        changes += replaced
    _fit_tools(fitted, changes)
    _fit_instructions(fitted, changes)
    return fitted, changes


def _fit_transcription(caller: dict[str, Any], changes: list[Replaced]) -> None:
    transcription = caller.get("transcription")
    if not isinstance(transcription, dict) or "language" not in transcription:
        return
    stored = str(transcription.pop("language") or "")
    hint = transcription_language(stored)
    if hint:
        transcription["language"] = hint
    elif stored:
        changes.append(Replaced("language", stored[:20]))


def _fit_noise_reduction(caller: dict[str, Any], changes: list[Replaced]) -> None:
    reduction = caller.get("noise_reduction")
    if isinstance(reduction, dict) and reduction.get("type") not in NOISE_REDUCTIONS:
        changes.append(Replaced("noise_reduction", str(reduction.get("type"))[:20]))
        caller["noise_reduction"] = None


# With OpenAI's defaults, for values that it would reject.
_TURN_RULES: dict[str, dict[str, tuple[Callable[[Any], bool], Any]]] = {
    "server_vad": {
        "threshold": (lambda value: _within(value, *THRESHOLD), 0.5),
        "prefix_padding_ms": (lambda value: _within(value, *PREFIX_PADDING_MS, is_whole=True), 300),
        "silence_duration_ms": (lambda value: _within(value, *SILENCE_MS, is_whole=True), 500),
    },
    "semantic_vad": {"eagerness": (lambda value: value in EAGERNESSES, "auto")},
}


def _fit_turn_detection(caller: dict[str, Any], changes: list[Replaced]) -> None:
    turns = caller.get("turn_detection")
    if not isinstance(turns, dict):
        return
    if turns.get("type") not in TURN_DETECTIONS:
        changes.append(Replaced("turn_detection", str(turns.get("type"))[:20], "server_vad"))
        turns["type"] = "server_vad"
    for name, (is_good, default) in _TURN_RULES[turns["type"]].items():
        if name in turns and not is_good(turns[name]):
            changes.append(Replaced(name, str(turns[name])[:20], str(default)))
            turns[name] = default


def _fit_tools(session: dict[str, Any], changes: list[Replaced]) -> None:
    tools = session.get("tools")
    if not isinstance(tools, list):
        return
    kept = [tool for tool in tools if TOOL_NAME.fullmatch(str(tool.get("name", "")))][:MAX_TOOLS]
    for tool in tools:
        if tool not in kept:
            changes.append(Replaced("tools", str(tool.get("name", ""))[:64]))
    session["tools"] = kept


def _fit_instructions(session: dict[str, Any], changes: list[Replaced]) -> None:
    """Cut at the end of a line: OpenAI rejects a session that is too long."""
    text = session.get("instructions")
    room = MAX_INSTRUCTIONS_LENGTH - len(json.dumps(session.get("tools") or []))
    if not isinstance(text, str) or len(text) <= room:
        return
    cut = text[:room].rpartition("\n")[0] or text[:room]
    session["instructions"] = cut
    changes.append(Replaced("instructions", f"{len(text)} characters", f"{len(cut)} characters"))


def _within(value: Any, lowest: float, highest: float, *, is_whole: bool = False) -> bool:
    """NaN is within nothing."""
    if isinstance(value, bool) or not isinstance(value, int if is_whole else (int, float)):
        return False
    return bool(lowest <= value <= highest)

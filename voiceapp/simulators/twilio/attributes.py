"""The attributes of TwiML as Twilio validates them: an invalid one is left out with Twilio's warning.

Names, values and codes: www.twilio.com/docs/voice/twiml, www.twilio.com/docs/api/errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

SCHEMA_WARNING = 12200
INVALID_URL = 11100
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# <Say language>: of Twilio's own voices, and the locales of the others.
_LANGUAGES = """
    en en-gb es fr de it
    af-ZA ar-AE ar-XA bg-BG bn-IN ca-ES cmn-CN cmn-TW cs-CZ cy-GB da-DK de-AT de-CH de-DE el-GR en-AU en-CA en-GB en-IE
    en-IN en-NZ en-US en-ZA es-ES es-MX es-US et-EE eu-ES fi-FI fil-PH fr-BE fr-CA fr-FR gl-ES gu-IN he-IL hi-IN hr-HR
    hu-HU id-ID is-IS it-IT ja-JP kn-IN ko-KR lt-LT lv-LV ml-IN mr-IN ms-MY nb-NO nl-BE nl-NL pa-IN pl-PL pt-BR pt-PT
    ro-RO ru-RU sk-SK sl-SI sr-RS sv-SE sw-KE ta-IN te-IN th-TH tr-TR uk-UA ur-IN vi-VN yue-CN zh-CN zh-HK zh-TW
"""
LANGUAGES = frozenset(_LANGUAGES.split())


@dataclass(frozen=True, slots=True)
class Rule:
    """What the value of an attribute must be, and the code of the warning if it is not."""

    is_valid: Callable[[str], bool]
    code: int = SCHEMA_WARNING


def _whole(lowest: int, highest: int) -> Callable[[str], bool]:
    return lambda value: value.isascii() and value.isdigit() and lowest <= int(value) <= highest


def _seconds(lowest: float, highest: float) -> Callable[[str], bool]:
    return lambda value: re.fullmatch(r"\d+(\.\d+)?", value) is not None and lowest <= float(value) <= highest


def _one_of(*values: str) -> Callable[[str], bool]:
    return lambda value: value in values


def _set_of(*values: str) -> Callable[[str], bool]:
    return lambda value: bool(value.split()) and set(value.split()) <= set(values)


def _is_url(value: str) -> bool:
    """http or https with a host and no underscore in it, or relative to the document."""
    if not value or re.search(r"\s", value):
        return False
    parts = urlsplit(value)
    if not parts.scheme and not parts.netloc:
        return True
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "_" not in (parts.hostname or "")


def _method(code: int = SCHEMA_WARNING) -> Rule:
    return Rule(_one_of("GET", "POST", "get", "post"), code)


_BOOLEAN = _one_of("true", "false")
_URL = Rule(_is_url, INVALID_URL)
_KEYS = re.compile(r"[0-9*#]*").fullmatch
_EVENTS = Rule(_set_of("initiated", "ringing", "answered", "completed"))
_RECORDING_EVENTS = Rule(_set_of("in-progress", "completed", "absent"))
RULES: Mapping[str, Mapping[str, Rule]] = {
    "Say": {
        "language": Rule(LANGUAGES.__contains__, 13512),
        "voice": Rule(lambda value: bool(re.fullmatch(r"man|woman|alice|(Polly|Google)\.[\w.-]+", value)), 13511),
        "loop": Rule(_whole(0, 1000), 13510),
    },
    "Play": {"loop": Rule(_whole(0, 1000), 13410), "digits": Rule(lambda value: bool(value))},
    "Pause": {"length": Rule(_seconds(0, 600), 13910)},
    "Gather": {
        "action": _URL, "method": _method(13312), "timeout": Rule(_seconds(0, 600), 13313),
        "numDigits": Rule(_whole(1, 1000), 13314), "finishOnKey": Rule(lambda value: bool(_KEYS(value)), 13310),
        "actionOnEmptyResult": Rule(_BOOLEAN), "input": Rule(_set_of("dtmf", "speech")),
    },
    "Redirect": {"method": _method(13710)},
    "Dial": {
        "action": _URL, "method": _method(13210), "timeout": Rule(_whole(1, 600), 13212),
        "timeLimit": Rule(_whole(1, 14400), 13216), "hangupOnStar": Rule(_BOOLEAN, 13213),
        "answerOnBridge": Rule(_BOOLEAN), "callerId": Rule(lambda _: True), "ringTone": Rule(lambda value: bool(value)),
        "record": Rule(_one_of("do-not-record", "record-from-answer", "record-from-ringing",
                               "record-from-answer-dual", "record-from-ringing-dual", "true", "false"), 13217),
    },
    "Conference": {
        "muted": Rule(_BOOLEAN), "beep": Rule(_one_of("true", "false", "onEnter", "onExit")),
        "startConferenceOnEnter": Rule(_BOOLEAN), "endConferenceOnExit": Rule(_BOOLEAN),
        "participantLabel": Rule(lambda value: 0 < len(value) <= 128),
        "jitterBufferSize": Rule(_one_of("small", "medium", "large", "off")),
        "waitUrl": Rule(lambda value: not value or _is_url(value), INVALID_URL), "waitMethod": _method(),
        "maxParticipants": Rule(_whole(1, 250)), "record": Rule(_one_of("do-not-record", "record-from-start")),
        "region": Rule(lambda value: bool(value)), "trim": Rule(_one_of("trim-silence", "do-not-trim")),
        "coach": Rule(lambda value: bool(value)), "statusCallback": _URL, "statusCallbackMethod": _method(),
        "statusCallbackEvent": Rule(_set_of("start", "end", "join", "leave", "mute", "hold", "modify", "speaker",
                                            "announcement")),
        "recordingStatusCallback": _URL, "recordingStatusCallbackMethod": _method(),
    },
    "Number": {
        "url": _URL, "method": _method(13221),
        "sendDigits": Rule(lambda value: bool(re.fullmatch("[0-9*#wW]+", value)), 13222),
        "statusCallback": _URL, "statusCallbackMethod": _method(), "statusCallbackEvent": _EVENTS,
    },
    "Record": {
        "action": _URL, "method": _method(13610), "timeout": Rule(_whole(0, 600), 13611),
        "maxLength": Rule(_whole(1, 14400), 13612), "finishOnKey": Rule(lambda value: bool(_KEYS(value)), 13613),
        "transcribe": Rule(_BOOLEAN, 13614), "playBeep": Rule(_BOOLEAN, 13616),
        "trim": Rule(_one_of("trim-silence", "do-not-trim")),
        "recordingStatusCallback": _URL, "recordingStatusCallbackMethod": _method(),
        "recordingStatusCallbackEvent": _RECORDING_EVENTS,
    },
    "Reject": {"reason": Rule(_one_of("rejected", "busy"))},
    "Hangup": {},
    "Connect": {"action": _URL, "method": _method()},
    "Stream": {
        "url": Rule(lambda value: bool(value)), "name": Rule(lambda value: bool(value)),
        "statusCallback": _URL, "statusCallbackMethod": _method(),
    },
    "Parameter": {"name": Rule(lambda value: bool(value)), "value": Rule(lambda _: True)},
}  # fmt: skip


def valid_attributes(name: str, attributes: Mapping[str, str], warnings: list[tuple[int, str]]) -> dict[str, str]:
    """The valid ones; each of the others becomes a warning (code, message)."""
    kept = {}
    for attribute, value in attributes.items():
        rule = RULES[name].get(attribute)
        if rule is None:
            warnings.append((SCHEMA_WARNING, f"schema validation warning: <{name}> has no attribute {attribute}"))
        elif not rule.is_valid(value):
            warnings.append((rule.code, f"{name}: invalid {attribute} value {value!r}"))
        else:
            kept[attribute] = value
    return kept

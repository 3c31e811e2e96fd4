"""TwiML as Twilio reads it: verbs in order, each with attributes, text and nouns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin
from xml.etree import ElementTree

from voiceapp.simulators.twilio.attributes import valid_attributes

MAX_BYTES = 64 * 1024
# The maximum length of the text of a <Say>.
MAX_SAY_CHARACTERS = 4096
_NOUNS: dict[str, frozenset[str]] = {
    "Say": frozenset(),
    "Play": frozenset(),
    "Pause": frozenset(),
    "Gather": frozenset({"Say", "Play", "Pause"}),
    "Redirect": frozenset(),
    "Dial": frozenset({"Number", "Conference"}),
    "Record": frozenset(),
    "Reject": frozenset(),
    "Hangup": frozenset(),
    "Connect": frozenset({"Stream"}),
    "Stream": frozenset({"Parameter"}),
    "Number": frozenset(),
    "Conference": frozenset(),
    "Parameter": frozenset(),
}

_VERBS = frozenset(_NOUNS) - {"Stream", "Number", "Conference", "Parameter"}


class TwimlError(Exception):
    """A document that Twilio cannot run. `code` is Twilio's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Verb:
    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    nouns: tuple[Verb, ...] = ()

    def get(self, attribute: str, default: str = "") -> str:
        return self.attributes.get(attribute, default)

    def seconds(self, attribute: str, default: float) -> float:
        """An attribute in seconds; an invalid value counts as absent, as at Twilio."""
        value = self.get(attribute)
        return float(value) if re.fullmatch(r"\d+(\.\d+)?", value) else default

    def named(self, name: str) -> tuple[Verb, ...]:
        return tuple(noun for noun in self.nouns if noun.name == name)


@dataclass(frozen=True, slots=True)
class Document:
    """Verbs, their URL, and warnings (code, message)."""

    verbs: tuple[Verb, ...]
    url: str
    warnings: tuple[tuple[int, str], ...] = ()

    def absolute(self, url: str) -> str:
        """A URL in an attribute may be relative to the document's."""
        return urljoin(self.url, url) if url else self.url


def parse(text: str, *, url: str) -> Document:
    """Raises TwimlError for invalid TwiML; unknown elements are left out with a warning, as Twilio does."""
    if len(text.encode()) > MAX_BYTES:
        raise TwimlError(11750, "TwiML response body too large")
    try:
        root = ElementTree.fromstring(text.strip().encode())  # noqa: S314 - the document of the application under test
    except (ElementTree.ParseError, ValueError, LookupError) as exc:
        raise TwimlError(12100, f"document parse failure: {exc}") from exc
    if root.tag != "Response":
        raise TwimlError(12100, f"the root element is <{root.tag}>, not <Response>")
    warnings: list[tuple[int, str]] = []
    return Document(_verbs(root, _VERBS, warnings), url, tuple(warnings))


def _verbs(parent: ElementTree.Element, allowed: frozenset[str], warnings: list[tuple[int, str]]) -> tuple[Verb, ...]:
    found = []
    for element in parent:
        if element.tag not in allowed:
            warnings.append((12200, f"schema validation warning: <{element.tag}> is not allowed in <{parent.tag}>"))
            continue
        nouns = _verbs(element, _NOUNS.get(element.tag, frozenset()), warnings)
        attributes = valid_attributes(element.tag, element.attrib, warnings)
        if element.tag == "Say" and not 0 < len((element.text or "").strip()) <= MAX_SAY_CHARACTERS:
            warnings.append((13520, f"Say: invalid text of {len(element.text or '')} characters"))
            continue
        found.append(Verb(element.tag, attributes, " ".join((element.text or "").split()), nouns))
    return tuple(found)

"""Texts can be translated, and are: no literal in templates and labels, the same placeholders, nothing half done."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from voiceapp.core.translations import extraction
from voiceapp.core.translations.names import TRANSLATED
from voiceapp.management.commands.update_translations import is_translated, read_catalog

pytestmark = pytest.mark.embedded
ROOT = extraction.ROOT
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}|</?\w+>")


@pytest.fixture(scope="module", params=TRANSLATED)
def catalog(request: pytest.FixtureRequest) -> Catalog:
    return read_catalog(request.param)


def test_a_translation_keeps_the_placeholders_of_its_text(catalog: Catalog) -> None:
    for message in catalog:
        if not message.id or not is_translated(message):
            continue
        texts = (message.id,) if isinstance(message.id, str) else message.id
        forms = (message.string,) if isinstance(message.string, str) else message.string
        assert isinstance(forms, (tuple, list))
        for form in forms:
            assert sorted(PLACEHOLDER.findall(form)) in [sorted(PLACEHOLDER.findall(text)) for text in texts], texts
        assert not message.fuzzy, texts


def test_every_text_has_a_translation(catalog: Catalog) -> None:
    known = {message.id for message in catalog if message.id and is_translated(message)}
    missing = sorted({str(message.id) for message in extraction.all_texts() if message.id and message.id not in known})
    assert missing == [], "run manage.py update_translations, then translate these"


# What stands in pages outside of any translation

BLOCKS = re.compile(r"\{% blocktranslate.*?endblocktranslate %\}|\{% comment.*?endcomment %\}", re.S)
TAGS = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.S)
SILENT = re.compile(
    r"<(script|style|code|kbd|pre|svg)\b.*?</\1>|<span class=\"material-symbols-outlined.*?</span>|<!--.*?-->", re.S
)
SAID = re.compile(r"\s(?:aria-label|title|placeholder|alt|label)=\"([^\"]*)\"")
ELEMENT = re.compile(r"<[^>]*>", re.S)
# Names and units, the same in every language.
NAMES = {
    "voiceapp",
    "API",
    "VAPI",
    "ms",
    "min",
    "kbit",
    "USD",
    "CSV",
    "JSON",
    "XLSX",
    "amp",
    "nbsp",
    "times",
    "lt",
    "gt",
}


def literals_of(template: str) -> list[str]:
    text = TAGS.sub("", BLOCKS.sub("", SILENT.sub("", template)))
    found = [*SAID.findall(text), ELEMENT.sub("\n", text)]
    words = {word for each in found for word in re.findall(r"[A-Za-z]{2,}", each)}
    return sorted(words - NAMES)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: str(path.relative_to(ROOT / "templates"))
)
def test_a_template_has_no_literal_text(path: Path) -> None:
    allowed = {"drf_spectacular/swagger_ui.html"}  # the API's page is English
    if str(path.relative_to(ROOT / "templates")) not in allowed:
        assert literals_of(path.read_text()) == []


LABELS = {
    "help_text",
    "verbose_name",
    "verbose_name_plural",
    "description",
    "confirm",
    "prompt",
    "label",
    "short_description",
}
# Of the API, of commands and of tables that nobody sees: English.
SKIPPED = re.compile(
    r"serializers|/api|livekit/webhooks|call/recording|core/(feeds|limits|metrics)|management/|simulators/|providers/|/tools/|checks/"
)


def test_no_label_is_a_literal() -> None:
    found = []
    for path in extraction.python_files():
        name = str(path.relative_to(ROOT))
        if SKIPPED.search(name):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg in LABELS and is_text(node.value):
                found.append(f"{name}:{node.value.lineno}")
    assert found == []


def is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value


WITHIN_F_STRING = re.compile(r"""\bf(["'])(?:(?!\1).)*\{(?:n?p?gettext|_)\(""")


def test_no_text_is_marked_within_an_f_string() -> None:
    """Babel reads an f-string as one token: the text would never come into the catalogs."""
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in extraction.python_files()
        for match in WITHIN_F_STRING.finditer(path.read_text())
    ]
    assert found == []

"""Text that is printed or read aloud: no control characters, and none that change the order or look of others."""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

# Bidirectional controls (Unicode UAX #9) reorder the characters around them; byte order marks, zero width spaces and
# word joiners are invisible. The joiners U+200C and U+200D are allowed: Persian, Hindi and emoji need them.
INVISIBLE = "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
LINE_BREAKS = "\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029"
CONTROLS = "\x00-\x1f\x7f-\x9f\ud800-\udfff"
NOT_IN_A_LINE = re.compile(f"[{CONTROLS}{LINE_BREAKS}{INVISIBLE}]")
# A text of several lines has tabs, and line breaks of every system.
NOT_IN_A_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff" + INVISIBLE + "]")
SPACES = re.compile(r"\s+")


def one_line(text: str) -> str:
    """The text as one visible line: for names from others that must be accepted in some form."""
    return SPACES.sub(" ", NOT_IN_A_LINE.sub(" ", text)).strip()


def validate_line(text: str) -> None:
    """Raises ValidationError for a line break or an invisible character."""
    _refuse(NOT_IN_A_LINE.search(text))


def validate_text(text: str) -> None:
    """The same for a text that may have several lines."""
    _refuse(NOT_IN_A_TEXT.search(text))


def _refuse(found: re.Match[str] | None) -> None:
    if found is None:
        return
    place = found.start() + 1
    if re.fullmatch(f"[{LINE_BREAKS}]", found.group()):
        raise ValidationError(
            gettext("This is one line: remove the line break at character %(place)s.") % {"place": place},
            code="line_break",
        )
    name = unicodedata.name(found.group(), f"U+{ord(found.group()):04X}").title()
    raise ValidationError(
        gettext("Remove the invisible character at character %(place)s (%(name)s): it changes how the text reads.")
        % {"place": place, "name": name},
        code="invisible_character",
    )

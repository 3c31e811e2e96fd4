"""What cannot be seen never reaches a ticket, a voice or a prompt; what people write stays as it is."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from voiceapp.core.plain_text import one_line, validate_line, validate_text

HIDDEN = [
    "\u202e", "\u2066", "\u200e", "\u200f", "\u061c", "\u200b", "\ufeff", "\u2060", "\u00ad",
    "\x00", "\x07", "\x7f", "\U000e0041",
]  # fmt: skip
BREAKS = ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"]
GENUINE = ["Größe 大", "سلطة", "می‌خواهم", "क्‍ष", "👩‍🍳", "L'Été – 50 % «fort»", "a\u00a0b", "ﬁ", "e\u0301"]


@pytest.mark.parametrize("sign", [*HIDDEN, *BREAKS], ids=lambda sign: "-".join(f"{ord(each):04x}" for each in sign))
def test_a_line_has_no_breaks_and_nothing_hidden(sign: str) -> None:
    with pytest.raises(ValidationError, match="character 4"):
        validate_line(f"Fun{sign}ghi")
    assert one_line(f" Fun{sign}ghi{sign} ") == "Fun ghi"


@pytest.mark.parametrize("sign", HIDDEN, ids=lambda sign: f"{ord(sign):04x}")
def test_a_text_has_nothing_hidden(sign: str) -> None:
    with pytest.raises(ValidationError, match="invisible character at character 4"):
        validate_text(f"Fun{sign}ghi")


@pytest.mark.parametrize("text", GENUINE)
def test_what_people_write_stays(text: str) -> None:
    validate_line(text)
    validate_text(f"{text}\r\n\t{text}\n")
    assert one_line(text) == text.replace("\u00a0", " ")

"""Names that rooms are given: the documented form, allowed characters, and not guessable."""

from __future__ import annotations

import datetime as dt
import re

from hypothesis import given
from hypothesis import strategies as st

from sessions.calls.models import CallType
from sessions.rooms.services.calls import new_room_name, safe

AT = dt.datetime(2022, 1, 1, tzinfo=dt.UTC)
ALLOWED = re.compile(r"[A-Za-z0-9._-]{1,100}")


def test_the_form_is_the_documented_one_with_64_random_bits() -> None:
    name = new_room_name("support", "user123", at=AT)
    assert re.fullmatch(r"support-user123-1640995200-[0-9a-f]{16}", name)
    assert name != new_room_name("support", "user123", at=AT)


@given(subject=st.text(max_size=300), call_type=st.sampled_from(CallType.values))
def test_whatever_the_subject_is_the_name_is_allowed(subject: str, call_type: str) -> None:
    name = new_room_name(call_type, subject, at=AT)
    assert ALLOWED.fullmatch(name)
    assert re.search(r"-1640995200-[0-9a-f]{16}$", name)


def test_a_subject_without_a_usable_letter_gets_a_stand_in() -> None:
    assert [safe("ü/ü"), safe(""), safe("a@b.c")] == ["somebody", "somebody", "a-b-c"]

"""Each end reason has its cause and its fix, and the page of the documentation says the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from sessions.calls.end_reasons import EXPLANATIONS, REFUSED_FOR, EndReason

pytestmark = pytest.mark.embedded

PAGE = Path(settings.BASE_DIR) / "docs/reference/end-reasons.md"


def test_the_page_explains_each_reason_as_the_product_does() -> None:
    rows = [f"| `{reason}` | {reason.label} | {EXPLANATIONS[reason].cause} | {EXPLANATIONS[reason].fix or '–'} |"
            for reason in EndReason]  # fmt: skip
    rows += [f"| `{limit}` | {each.cause} | {each.fix or '–'} |" for limit, each in REFUSED_FOR.items()]
    written = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert written == rows


def test_a_reason_that_is_a_failure_says_what_to_do() -> None:
    """Those without a fix are as they should be, or were done on purpose."""
    assert {reason for reason in EndReason if not EXPLANATIONS[reason].fix} == {
        EndReason.CALLER_HUNG_UP, EndReason.AGENT_HUNG_UP, EndReason.TRANSFERRED, EndReason.HUNG_UP_BY_OPERATOR,
        EndReason.ENDED_BY_REQUEST, EndReason.ROOM_CLOSED, EndReason.FAILED_BY_REQUEST,
    }  # fmt: skip

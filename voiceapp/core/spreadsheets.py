"""Text for the cells of a CSV file that people open in a spreadsheet."""

from __future__ import annotations

# Spreadsheets run what begins so (OWASP, CSV injection), some also in their full-width forms.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"  # Excel takes a file without one for Latin-1


def escaped(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) or text.lstrip().startswith(FORMULA) else text

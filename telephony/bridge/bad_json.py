"""What reading hostile text as JSON can raise: malformed or mistyped, not UTF-8, nested without end."""

from __future__ import annotations

import msgspec

NOT_JSON = (msgspec.MsgspecError, UnicodeError, RecursionError)

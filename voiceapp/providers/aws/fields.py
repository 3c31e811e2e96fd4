"""The documented form of what SQS is sent. Sources: docs/provider-fields.md."""

from __future__ import annotations

import hashlib
import re

# Of the body and its attributes together.
MAX_MESSAGE_BYTES = 1024 * 1024
# Letters, digits and punctuation of ASCII: group and deduplication ids of FIFO queues.
FIFO_ID = re.compile(r"[!-~]{1,128}")
# Characters that XML 1.0 excludes.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def fifo_id(text: str) -> str:
    """The id, or its hash if the form is wrong: equal ids stay equal, different ones stay different."""
    return text if FIFO_ID.fullmatch(text) else f"sha256-{hashlib.sha256(text.encode()).hexdigest()}"


def fault_in_body(body: str, *, attributes_bytes: int = 0) -> str:
    """Why SQS would reject the body; empty if it would not."""
    size = len(body.encode(errors="surrogatepass")) + attributes_bytes
    if not body:
        return "the body is empty"
    if size > MAX_MESSAGE_BYTES:
        return f"the message has {size} bytes, more than {MAX_MESSAGE_BYTES}"
    forbidden = FORBIDDEN.search(body)
    return f"the body has the character U+{ord(forbidden.group()):04X}" if forbidden else ""

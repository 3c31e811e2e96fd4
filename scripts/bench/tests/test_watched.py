"""How late a caption is: from the time that the provider said, which is its last word, until now."""

from __future__ import annotations

import json
from time import perf_counter

from watched import Reader


def test_a_growing_caption_is_as_late_as_its_last_word() -> None:
    reader = Reader()
    now = perf_counter()
    for text in (f"{now - 9:.3f} ", f"{now - 9:.3f} {now - 0.2:.3f} "):
        reader.on_text(json.dumps({"event": "caption", "caption": {"text": text}}).encode())
    for text in ("Hello, this is Bella Napoli.", ""):
        reader.on_text(json.dumps({"event": "caption", "caption": {"text": text}}).encode())
    reader.on_text(b'{"event":"ended"}')
    first, second = reader.late_ms
    assert 8999 <= first < 9500  # stamps are whole milliseconds
    assert 199 <= second < 700

"""Audio for the player of a browser, which asks for parts of it."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse

RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def sound_response(request: HttpRequest, content: bytes, *, content_type: str, file_name: str) -> HttpResponse:
    """The whole file, or the one range that the request names (RFC 9110, 14): without ranges Safari plays nothing."""
    span = _span(request.headers.get("Range", ""), len(content))
    if span is None:
        response = HttpResponse(content, content_type=content_type)
    elif not span:
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
    else:
        response = HttpResponse(content[span.start : span.stop], status=206, content_type=content_type)
        response["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{len(content)}"
    response["Accept-Ranges"] = "bytes"
    response["Content-Disposition"] = f'inline; filename="{file_name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _span(header: str, size: int) -> range | None:
    """None: the whole file. An empty range: it lies outside the file."""
    found = RANGE.fullmatch(header.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        return range(max(size - int(last), 0), size) if int(last) else range(0)
    start, stop = int(first), min(int(last) + 1, size) if last else size
    return range(start, stop) if start < stop else range(0)

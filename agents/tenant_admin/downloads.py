"""Files that are sent while they are read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import cast

from asgiref.sync import sync_to_async
from django.http import HttpResponse, StreamingHttpResponse


def streamed_file(lines: Iterator[str], *, name: str, content_type: str) -> HttpResponse:
    response = StreamingHttpResponse(sent(lines), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return cast(HttpResponse, response)


async def sent(lines: Iterator[str]) -> AsyncIterator[bytes]:
    """Each part when it is needed, in the request's thread: a plain iterator would be read to its end first."""
    while (part := await sync_to_async(partial(next, lines, None))()) is not None:
        yield part.encode()

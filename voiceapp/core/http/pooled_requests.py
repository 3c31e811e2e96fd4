"""ASGI: requests that are many and short, each answered in one visit to a thread that keeps its database connection.

Those threads are in the database process, if there is one.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.urls import set_script_prefix

from voiceapp.core.database_threads import DatabaseThreads

from .refusal import Receive, Send
from .requests import Application, Scope

# Enough for 30 calls a second, with five webhooks each, while the database takes 50 ms for one.
webhook_threads = DatabaseThreads(8, name="webhooks")


# What Django reads of a request. The server's own objects cannot go to another process.
READ = ("type", "http_version", "method", "scheme", "path", "query_string", "root_path", "headers", "client", "server")


class PooledRequests:
    """Django as it is, for the paths of a provider's webhooks; all other requests go to `application`.

    Django's own handler starts a thread per request, opens a connection in it, and visits it five times. The threads
    here are few, so that a burst of webhooks waits in line and leaves the processor to the audio of live calls.
    """

    def __init__(self, application: Application, *, paths: tuple[str, ...]) -> None:
        self._application = application
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._paths):
            await self._application(scope, receive, send)
            return
        message = await receive()  # BoundedRequests has joined the body
        if message["type"] != "http.request":
            return  # the client is gone
        # A provider repeats a webhook that it got no response to: what it does is done once.
        read = {name: scope[name] for name in READ if name in scope}
        status, headers, content = await webhook_threads.run_again(respond, read, message.get("body", b""))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def respond(scope: Scope, body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and content of Django's response. A webhook's never streams, and sets no cookie."""
    handler = _handler()
    set_script_prefix(get_script_prefix(scope))
    request, refusal = handler.create_request(scope, BytesIO(body))
    response: Any = refusal if request is None else handler.get_response(request)
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    return response.status_code, headers, response.content


class _Handler(ASGIHandler):
    def __init__(self) -> None:
        self.load_middleware(is_async=False)


_handler = cache(_Handler)

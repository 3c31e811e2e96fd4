"""ASGI: requests that are many and short, each answered in one visit to a thread that keeps its database connection."""

from __future__ import annotations

from io import BytesIO
from typing import cast

from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import HttpResponse
from django.urls import set_script_prefix

from voiceapp.core.database_threads import DatabaseThreads

from .refusal import Receive, Send
from .requests import Application, Scope

# Enough for 30 calls a second, with five webhooks each, while the database takes 50 ms for one.
webhook_threads = DatabaseThreads(8, name="webhooks")


class PooledRequests(ASGIHandler):
    """Django as it is, for the paths of a provider's webhooks; all other requests go to `application`.

    Django's own handler starts a thread per request, opens a connection in it, and visits it five times. The threads
    here are few, so that a burst of webhooks waits in line and leaves the processor to the audio of live calls.
    """

    def __init__(self, application: Application, *, paths: tuple[str, ...]) -> None:
        self._application = application
        self._paths = paths
        self.load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._paths):
            await self._application(scope, receive, send)
            return
        message = await receive()  # BoundedRequests has joined the body
        if message["type"] != "http.request":
            return  # the client is gone
        response = await webhook_threads.run(self._respond, scope, message.get("body", b""))
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": response.content})

    def _respond(self, scope: Scope, body: bytes) -> HttpResponse:
        set_script_prefix(get_script_prefix(scope))
        request, refusal = self.create_request(scope, BytesIO(body))
        response = refusal if request is None else self.get_response(request)
        return cast("HttpResponse", response)  # a webhook's never streams, and sets no cookie

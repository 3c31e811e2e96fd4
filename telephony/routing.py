"""The addresses of the carriers' sockets; voiceapp/routing.py has those of pages, too."""

from __future__ import annotations

from typing import Any

from channels.routing import URLRouter
from django.urls import path, re_path

from telephony.twilio.consumers import MediaStreamConsumer, NoSuchSocket

# Django's `path` is typed for views; Channels uses it for ASGI applications.
media_stream: Any = MediaStreamConsumer.as_asgi()
nothing: Any = NoSuchSocket.as_asgi()
# Either address serves every agent, whatever its AI provider: TwiML may name one or the other.
routes: Any = [path("ws/twilio", media_stream), path("twilio", media_stream), re_path(r"", nothing)]

sockets = URLRouter(routes)

"""The addresses of all sockets: those of pages, and those of the carriers."""

from __future__ import annotations

from typing import Any

from channels.routing import URLRouter
from django.urls import path

from telephony.routing import sockets as carrier_sockets
from voiceapp.console.call_page.browser_call.consumers import BrowserCallConsumer
from voiceapp.console.call_page.dialer.consumers import DialerConsumer
from voiceapp.console.live_calls.consumers import LiveCallConsumer

# Django's `path` is typed for views; Channels uses it for ASGI applications.
dialer: Any = DialerConsumer.as_asgi()
browser_call: Any = BrowserCallConsumer.as_asgi()
live_call: Any = LiveCallConsumer.as_asgi()
page_sockets: Any = [
    path("ws/dialer/<slug:organization>", dialer),
    path("ws/browser-call/<uuid:call_id>", browser_call),
    path("ws/live-call/<uuid:call_id>", live_call),
]

# The last of the carriers' answers all that nobody has.
sockets = URLRouter([*page_sockets, *carrier_sockets.routes])

"""The ASGI application: HTTP to Django, sockets to their consumers."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceapp.settings")

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

http = get_asgi_application()  # first: it loads the apps that the sockets import

from voiceapp.core.http.pooled_requests import PooledRequests  # noqa: E402 - as above
from voiceapp.core.http.requests import BoundedRequests, BusyAddresses  # noqa: E402 - as above
from voiceapp.routing import sockets  # noqa: E402 - as above

WEBHOOKS = ("/twiml/", "/twilio/")

requests = PooledRequests(http, paths=WEBHOOKS)
application = ProtocolTypeRouter({"http": BusyAddresses(BoundedRequests(requests)), "websocket": sockets})

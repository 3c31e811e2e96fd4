"""uvicorn's HTTP protocol with what it lacks: an end to waiting for a request's head, and to how long the head is."""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from voiceapp.core.metrics import edge_refused

from .body_limits import KIB, largest_body
from .client_address import network_of
from .connections import connections

LONGEST_HEAD_BYTES = 64 * KIB
# Chunks may be small and carry extensions: so many bytes on the wire for each that a body may have.
WIRE_BYTES_PER_BODY_BYTE = 8
OF_UPGRADES = (b"upgrade", b"http2-settings")


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection. Bodies are read, bounded and timed by BoundedRequests; this sees what never becomes a request."""

    _head_timer: asyncio.TimerHandle | None = None
    _is_in_head = True
    _has_begun = False
    _has_upgraded = False
    # Since the last head or message was complete.
    _wire_bytes = 0
    _running: RequestResponseCycle | None = None
    # Started by the data that is being read: its application has not run yet.
    _just_started: RequestResponseCycle | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn's own drops what follows a request with `Connection: close`: bytes that Content-Length hid.
        self.parser = httptools.HttpRequestParser(self)

    @property
    def is_waiting(self) -> bool:
        """No complete request is being answered."""
        running = self._running
        return running is None or running.response_complete or running.more_body

    def give_way(self) -> None:
        self._end("crowded", 0 if self._running is not None or self._has_begun else 429)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_head_timer()
        # Behind proxies of ours the address is known with the head (BusyAddresses).
        is_direct = settings.TRUSTED_PROXY_COUNT == 0 and self.client is not None
        connections.enter(self, network_of(self.client[0]) if is_direct and self.client else "")

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._just_started = None
        self._wire_bytes += len(data)
        self._unset_keepalive_if_required()
        self._feed(data)
        if self._has_upgraded or self.transport.is_closing():
            return
        if not self._is_in_head:
            if self._wire_bytes > WIRE_BYTES_PER_BODY_BYTE * largest_body(self.scope["path"]) + LONGEST_HEAD_BYTES:
                self.send_400_response("Too many bytes for a body of this length.")
        elif self._wire_bytes > LONGEST_HEAD_BYTES:
            self._end("long_head", 431)
        elif self._has_begun or self.is_waiting:
            self._start_head_timer()

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            else:
                self._feed_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def _feed_without_upgrade(self, rest: bytes) -> None:
        """A server may go on without an upgrade that it does not know (RFC 9110, 7.8), but then the body counts.

        httptools takes a message for ended at its head wherever an upgrade is offered, as by Java's client (h2c).
        """
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + self.parser.get_http_version().encode()]
        for name, value in self.headers:
            if name == b"connection":
                tokens = [token.strip() for token in value.split(b",")]
                value = b", ".join(token for token in tokens if token.lower() not in OF_UPGRADES)
                if not value:
                    continue
            if name not in OF_UPGRADES:
                lines.append(name + b": " + value)
        self.parser = httptools.HttpRequestParser(self)
        self._feed(b"\r\n".join(lines) + b"\r\n\r\n" + rest)

    def _offers_unknown_upgrade(self) -> bool:
        return self.parser.should_upgrade() and not self._should_upgrade()

    def on_message_begin(self) -> None:
        self._has_begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self._offers_unknown_upgrade():
            return
        super().on_headers_complete()
        if self.parser.should_upgrade() and self._should_upgrade():
            return  # until the upgrade it may still be slow
        self._is_in_head = False
        self._wire_bytes = 0
        self._stop_head_timer()

    def on_message_complete(self) -> None:
        if self._offers_unknown_upgrade():
            return
        super().on_message_complete()
        self._is_in_head, self._has_begun = True, False
        self._wire_bytes = 0

    def handle_websocket_upgrade(self) -> None:
        """From here on the socket is the handshake's, and then the call's."""
        self._has_upgraded = True
        self._leave()
        super().handle_websocket_upgrade()
        # A request that the handshake cannot read (one with chunks) would be kept open and never answered.
        if not getattr(self.transport.get_protocol(), "handshake_initiated", True):
            edge_refused.labels("no_handshake").inc()
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What cannot be read ends the connection, after the response to a request that is being answered."""
        running = self._running
        if running is not None and not running.response_complete:
            if not running.more_body and running is not self._just_started:
                self.pipeline.clear()
                running.keep_alive = False
                return
            # Its body, or what Content-Length left of it, was no part of HTTP: it is not to be carried out.
            self._abandon(running)
        super().send_400_response(msg)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = self._just_started = cycle
        super()._start_asgi_task(cycle, app)

    def _start_head_timer(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(settings.REQUEST_HEAD_TIMEOUT_S, self._on_slow_head)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _on_slow_head(self) -> None:
        self._head_timer = None
        if self.is_waiting:
            self._end("slow_head", 408 if self._has_begun else 0)
        elif self._running is not None:
            self._running.keep_alive = False  # a request is being answered: then it ends

    def _end(self, reason: str, status: int) -> None:
        """Close, with a response where one is expected (`status` 0: none)."""
        if self.transport.is_closing():
            return
        edge_refused.labels(reason).inc()
        running = self._running
        if running is not None and not running.response_complete:
            self._abandon(running)
        elif status:
            self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()

    def _abandon(self, cycle: RequestResponseCycle) -> None:
        cycle.disconnected = True
        cycle.message_event.set()

    def _leave(self) -> None:
        self._stop_head_timer()
        connections.leave(self)

"""uvicorn's HTTP protocol with a timeout for a request's head and a limit on its size."""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from voiceapp.core.metrics import edge_refused

from .body_limits import KIB, max_body_bytes
from .client_address import network_of
from .connections import connections

MAX_HEAD_BYTES = 64 * KIB
# Chunks may be small and have extensions: bytes on the wire per byte of the body limit.
WIRE_BYTES_PER_BODY_BYTE = 8
OF_UPGRADES = (b"upgrade", b"http2-settings")


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection. BoundedRequests limits bodies; this limits what never becomes a request."""

    _head_timer: asyncio.TimerHandle | None = None
    _is_in_head = True
    _has_begun = False
    _has_upgraded = False
    # Since the last complete head or message.
    _wire_bytes = 0
    _running: RequestResponseCycle | None = None
    # Started by the data that is being parsed: its application has not run yet.
    _just_started: RequestResponseCycle | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn's parser ignores bytes after a request with `Connection: close`, which Content-Length may have hidden.
        self.parser = httptools.HttpRequestParser(self)

    @property
    def is_idle(self) -> bool:
        """Whether no complete request is being processed."""
        running = self._running
        return running is None or running.response_complete or running.more_body

    def evict(self) -> None:
        self._end("crowded", 0 if self._running is not None or self._has_begun else 429)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_head_timer()
        # Behind our proxies the address is only known from the head (BusyAddresses).
        is_direct = settings.TRUSTED_PROXY_COUNT == 0 and self.client is not None
        connections.add(self, network_of(self.client[0]) if is_direct and self.client else "")

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
            if self._wire_bytes > WIRE_BYTES_PER_BODY_BYTE * max_body_bytes(self.scope["path"]) + MAX_HEAD_BYTES:
                self.send_400_response("Too many bytes for a body of this length.")
        elif self._wire_bytes > MAX_HEAD_BYTES:
            self._end("long_head", 431)
        elif self._has_begun or self.is_idle:
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
        """A server may ignore an unknown upgrade (RFC 9110, 7.8), but then the request has its body.

        httptools ends a message at its head if an upgrade is offered, as by Java's client (h2c).
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
            return  # the timer runs until the upgrade
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
        """From here on the socket belongs to the handshake, and then to the call."""
        self._has_upgraded = True
        self._leave()
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]  # it refers to this object, which would stay as garbage
        # A request that the handshake cannot parse (one with chunks) would stay open without a response.
        if not getattr(self.transport.get_protocol(), "handshake_initiated", True):
            edge_refused.labels("no_handshake").inc()
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Malformed data ends the connection, after the response to the request that is being processed."""
        running = self._running
        if running is not None and not running.response_complete:
            if not running.more_body and running is not self._just_started:
                self.pipeline.clear()
                running.keep_alive = False
                return
            # Its body is malformed, so the request must not be processed.
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
        if self.is_idle:
            self._end("slow_head", 408 if self._has_begun else 0)
        elif self._running is not None:
            self._running.keep_alive = False  # close after the current request

    def _end(self, reason: str, status: int) -> None:
        """Close, with a response if one is expected (`status` 0: none)."""
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
        connections.remove(self)

"""The socket to an AI provider: it moves text, and for some sound in binary, and reports when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSError,
    WSFrame,
    WSHandshakeError,
    WSListener,
    WSMsgType,
    WSParsedURL,
    WSTransport,
    ws_connect,
)

from telephony.bridge.core.actions import LinkLoss
from voiceapp.core.metrics import provider_links
from voiceapp.providers.errors import PERMANENT, RetryClass, retry_after_s, retry_class_of

CONNECT_WITHIN_S = 3.0
PING_AFTER_S = 5
PONG_WITHIN_S = 5
CLOSE_WITHIN_S = 1.0
LARGEST_FRAME_BYTES = 4 * 1024 * 1024
# The buffer to read into doubles when it is nearly full, never shrinks, and leaves a hole of each size that it had.
# From the start it holds the longest text that comes, the session with a menu. The handshake touches all of it, so that
# a larger one would take memory of each call.
READ_BUFFER_BYTES = 24 * 1024
# picows keeps a buffer as large as the largest text it wrote: per call, for nothing.
LONG_TEXT = 4096
HEADER_ROOM = 14
# aiofastnet has a buffer in each direction of 257 KB for each link, and what was once used of it stays. One record fits
# into these; what is longer takes several turns.
TLS_BUFFERS: dict[str, Any] = {"ssl_incoming_bio_size": 17 * 1024, "ssl_outgoing_bio_size": 17 * 1024}

TEXT = WSMsgType.TEXT
BINARY = WSMsgType.BINARY
CLOSE = WSMsgType.CLOSE
CONTINUATION = WSMsgType.CONTINUATION

# One line per connection would be noise; what happened to a link is on its call's timeline.
logger = logging.getLogger("voiceapp.provider_link")
logger.setLevel(logging.WARNING)


class Link(Protocol):
    """What a call needs of a provider's socket, whatever library carries it."""

    @property
    def was_idle(self) -> bool:
        """It was connected before the call began (idle_links.py). Known when it is open."""

    async def open(self) -> None:
        """Connect. The three callbacks report the result; network errors are not raised."""

    def send(self, text: str) -> None:
        """Send one text frame, at once and without waiting."""

    def close(self) -> None:
        """Drop the socket. Nothing more is reported."""


class ProviderLink(WSListener):
    """A link on picows. `on_frame` is called from inside the loop's read, so that a frame costs no task."""

    was_idle = False

    __slots__ = (
        "_audio_prefix",
        "_disconnection",
        "_fatal_codes",
        "_fragments",
        "_headers",
        "_is_closed",
        "_is_congested",
        "_is_fragmented_audio",
        "_on_audio",
        "_on_frame",
        "_on_lost",
        "_on_opened",
        "_transport",
        "_url",
        "dropped_frames",
    )

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        on_opened: Callable[[], None],
        on_frame: Callable[[str], None],
        on_lost: Callable[[LinkLoss], None],
        audio_prefix: str | None = None,
        on_audio: Callable[[bytes], None] | None = None,
        fatal_codes: frozenset[int] = frozenset(),
    ) -> None:
        """`audio_prefix`: how a text frame of audio begins, which may be dropped while the socket is congested.

        `on_audio`: receives binary frames, of a provider that sends audio so.
        `fatal_codes`: close codes after which another link would be closed too.
        """
        self._url = url
        self._headers = headers
        self._on_opened = on_opened
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._audio_prefix = audio_prefix
        self._on_audio = on_audio
        self._fatal_codes = fatal_codes
        self._transport: WSTransport | None = None
        self._is_closed = False
        self._is_congested = False
        self._fragments: list[bytes] = []
        self._is_fragmented_audio = False
        self._disconnection: asyncio.Task[None] | None = None
        self.dropped_frames = 0

    async def open(self) -> None:
        loss: LinkLoss | None = None
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await self._connect()
            if self._transport is None:
                loss = LinkLoss(None, "closed during the handshake")
        except TimeoutError:
            loss = LinkLoss(None, "no answer in time")
        except WSHandshakeError as exc:
            loss = _refusal(exc)
        except (OSError, WSError) as exc:
            loss = LinkLoss(None, f"{type(exc).__name__}")
        if loss is not None:
            provider_links.labels(result="refused" if loss.is_fatal else "failed").inc()
            self._report(loss)

    async def _connect(self) -> None:
        is_secure = self._url.startswith("wss:")
        try:
            await ws_connect(
                lambda: self,
                self._url,
                ssl_context=_tls() if is_secure else None,
                websocket_handshake_timeout=CONNECT_WITHIN_S,
                logger_name=logger,
                enable_auto_ping=True,
                auto_ping_idle_timeout=PING_AFTER_S,
                auto_ping_reply_timeout=PONG_WITHIN_S,
                auto_ping_strategy=WSAutoPingStrategy.PING_WHEN_IDLE,
                max_frame_size=LARGEST_FRAME_BYTES,
                read_buffer_init_size=READ_BUFFER_BYTES,
                extra_headers=self._headers,
                max_redirects=0,  # a redirect would carry our key to another address
                proxy=None,
                use_aiofastnet=is_secure,  # on plain TCP uvloop's own transport needs less
                socket_factory=connected_socket if is_secure else None,
                **(TLS_BUFFERS if is_secure else {}),
            )
        finally:
            self._notice_closed_socket()

    def _notice_closed_socket(self) -> None:
        """A connect that is canceled when the handshake is just complete: uvloop closes the socket and tells nobody.

        picows would send its pings to the number of the file descriptor, which is soon another socket's.
        """
        if self._transport is None or self._transport.is_disconnected:
            return
        below = self._transport.underlying_transport
        if below.get_extra_info("socket").fileno() < 0:
            below.get_protocol().connection_lost(None)

    def hand_to(self, *, on_frame: Callable[[str], None], on_lost: Callable[[LinkLoss], None]) -> None:
        """From now on report to these."""
        self._on_frame = on_frame
        self._on_lost = on_lost

    def send(self, text: str) -> None:
        if self._is_congested and self._audio_prefix is not None and text.startswith(self._audio_prefix):
            self.dropped_frames += 1  # audio may be dropped, other frames never
            return
        if self._transport is None:
            return
        if len(text) < LONG_TEXT:
            self._transport.send(TEXT, text)
        else:
            buffer = bytearray(HEADER_ROOM) + text.encode()
            self._transport.send_reuse_external_bytearray(TEXT, buffer, HEADER_ROOM)

    def send_audio(self, audio: bytes) -> None:
        """Send one binary frame, or none while the socket is congested."""
        if self._is_congested:
            self.dropped_frames += 1
        elif self._transport is not None:
            self._transport.send(BINARY, audio)

    def close(self) -> None:
        self._is_closed = True
        transport = self._transport
        if transport is None or transport.is_disconnected:
            return
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        # A peer that reads nothing more would keep a graceful close waiting for ever.
        asyncio.get_running_loop().call_later(CLOSE_WITHIN_S, transport.disconnect, False)

    # What picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        if self._is_closed:  # the caller hung up during the handshake
            transport.disconnect(False)
            return
        provider_links.labels(result="opened").inc()
        self._on_opened()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        # picows reports a frame over the limit as an error, and hands it on all the same.
        if self._is_closed or frame.payload_size > LARGEST_FRAME_BYTES:
            return
        kind = frame.msg_type
        if kind == TEXT and frame.fin:
            try:
                text = frame.get_payload_as_utf8_text()
            except UnicodeDecodeError:
                text = ""  # the dialect counts it as a bad frame
            self._on_frame(text)
        elif kind == BINARY and frame.fin and self._on_audio is not None:
            self._on_audio(frame.get_payload_as_bytes())
        elif kind == CLOSE:
            code = frame.get_close_code()
            transport.send_close(WSCloseCode.OK if code == WSCloseCode.NO_INFO else code)
            transport.disconnect()
        elif kind == CONTINUATION:
            self._assemble(frame)
        elif kind == TEXT or (kind == BINARY and self._on_audio is not None):
            self._is_fragmented_audio = kind == BINARY
            self._fragments.clear()
            self._assemble(frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._disconnection = asyncio.ensure_future(_collect_error(transport))
        shaken = transport.close_handshake
        said = shaken.recv if shaken is not None else None
        if said is None:
            self._report(LinkLoss(None, "connection lost"))
            return
        code: int = said.code.value
        self._report(LinkLoss(code, said.reason or "", is_fatal=code in self._fatal_codes))

    def pause_writing(self) -> None:
        self._is_congested = True

    def resume_writing(self) -> None:
        self._is_congested = False

    def _assemble(self, frame: WSFrame) -> None:
        self._fragments.append(frame.get_payload_as_bytes())
        if sum(map(len, self._fragments)) > LARGEST_FRAME_BYTES:
            self._fragments.clear()
        elif frame.fin:
            whole = b"".join(self._fragments)
            self._fragments.clear()
            if not self._is_fragmented_audio:
                self._on_frame(whole.decode("utf-8", "replace"))
            elif self._on_audio is not None:
                self._on_audio(whole)

    def _report(self, loss: LinkLoss) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._on_lost(loss)


async def _collect_error(transport: WSTransport) -> None:
    """picows keeps protocol errors in a future, which logs a warning if it is never awaited."""
    with contextlib.suppress(WSError):
        await transport.wait_disconnected()


async def connected_socket(url: WSParsedURL) -> socket.socket:
    """To the first address that answers. aiofastnet closes a socket of its own when the connect is canceled, and
    would go on reading from the number of its file descriptor.
    """
    loop = asyncio.get_running_loop()
    lost: OSError | None = None
    for family, kind, protocol, _, address in await loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, address)
        except BaseException as exc:
            sock.close()
            if not isinstance(exc, OSError):
                raise
            lost = exc
        else:
            return sock
    raise lost or OSError("no address")


@functools.cache
def _tls() -> ssl.SSLContext:
    """Verifies the provider's certificate and name. Made once: reading the authorities takes 20 ms."""
    return ssl.create_default_context()


def _refusal(exc: WSHandshakeError) -> LinkLoss:
    """A status of the handshake: too many or a server's fault may pass, anything else will not."""
    status = int(exc.response.status) if exc.response is not None else None
    if status is None:
        return LinkLoss(None, "not a WebSocket server")
    response = exc.response
    wait_s = retry_after_s(response.headers.get("Retry-After")) if response is not None else None
    retry_class = retry_class_of(status, retry_after_s=wait_s)
    wait_ms = round(wait_s * 1000) if retry_class is RetryClass.WAIT and wait_s is not None else None
    return LinkLoss(status, f"HTTP {status}", is_fatal=retry_class in PERMANENT, wait_ms=wait_ms)

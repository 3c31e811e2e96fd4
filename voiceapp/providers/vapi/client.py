"""VAPI's REST API: calls over its websocket transport, and assistants (protocols.md, C1 to C3)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlsplit

from django.conf import settings

from voiceapp.core.web_addresses import read_origin

from .errors import VapiError, VapiErrorKind, error_of
from .rest import request, request_now

__all__ = ["MULAW_TRANSPORT", "VapiAssistant", "VapiCall", "VapiClient", "VapiError", "VapiErrorKind", "read_call"]

# µ-law without a header, as the telephone has it: one binary frame is so many bytes of sound, both ways.
MULAW_TRANSPORT: Mapping[str, object] = {
    "provider": "vapi.websocket",
    "conversationType": "voice",
    "audioFormat": {"format": "mulaw", "container": "raw", "sampleRate": 8000},
}
END_CALL: Mapping[str, object] = {"type": "end-call"}
MOST_ASSISTANTS = 1000
VAPI_DOMAIN = ".vapi.ai"
ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True, slots=True)
class VapiCall:
    """A call as VAPI reports it; `fields` is its whole object. Both URLs are secrets: who knows them has the call."""

    id: str
    status: str
    ended_reason: str
    cost_usd: Decimal | None
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    websocket_url: str = field(repr=False)
    control_url: str = field(repr=False)
    fields: Mapping[str, object] = field(repr=False)

    @property
    def is_over(self) -> bool:
        return self.status == "ended"


@dataclass(frozen=True, slots=True)
class VapiAssistant:
    """`fields` is VAPI's whole object."""

    id: str
    name: str
    fields: Mapping[str, object] = field(repr=False)


class VapiClient:
    """One account of VAPI. Each method raises VapiError; those whose name begins with `a` run on the event loop."""

    def __init__(self, *, api_key: str, base_url: str, version: str) -> None:
        if not api_key:
            raise VapiError(VapiErrorKind.NOT_CONFIGURED, "VAPI_API_KEY is not set")
        self._base_url = base_url.rstrip("/")
        # Without a user agent the network in front of VAPI refuses every request (403, “error code: 1010”).
        self._headers = {"Authorization": f"Bearer {api_key}", "User-Agent": f"voiceapp/{version}"}
        self._is_local = _is_local(self._base_url)

    @classmethod
    def from_settings(cls) -> VapiClient:
        return cls(api_key=settings.VAPI_API_KEY, base_url=settings.VAPI_BASE_URL, version=settings.VERSION)

    # Calls

    async def acreate_call(
        self, assistant: str | Mapping[str, object], *, overrides: Mapping[str, object] | None = None, name: str = ""
    ) -> VapiCall:
        """Start a call over the websocket transport, with an assistant's id or a transient assistant.

        `overrides` are VAPI's assistantOverrides; `metadata` in them comes back with every report of the call.
        """
        body = call_request(assistant, overrides=overrides, name=name)
        return self._created(await request("POST", f"{self._base_url}/call", body, headers=self._headers))

    def create_call(
        self, assistant: str | Mapping[str, object], *, overrides: Mapping[str, object] | None = None, name: str = ""
    ) -> VapiCall:
        body = call_request(assistant, overrides=overrides, name=name)
        return self._created(request_now("POST", f"{self._base_url}/call", body, headers=self._headers))

    async def aget_call(self, call_id: str) -> VapiCall:
        return read_call(await request("GET", self._url("call", call_id), headers=self._headers))

    def get_call(self, call_id: str) -> VapiCall:
        return read_call(request_now("GET", self._url("call", call_id), headers=self._headers))

    def delete_call(self, call_id: str) -> bool:
        """With its recording, transcript and logs. False if VAPI does not know it (any more)."""
        try:
            request_now("DELETE", self._url("call", call_id), headers=self._headers)
        except VapiError as error:
            if error.kind is not VapiErrorKind.NOT_FOUND:
                raise
            return False
        return True

    async def aend_call(self, call: VapiCall) -> bool:
        """End a call by its control URL, which needs no key. False if it has none, or if the call was over."""
        if not call.control_url:
            return False
        try:
            await request("POST", self._safe(call.control_url, "https"), END_CALL, headers=self._keyless)
        except VapiError as exc:
            return _was_open(exc)
        return True

    def end_call(self, call: VapiCall) -> bool:
        if not call.control_url:
            return False
        try:
            request_now("POST", self._safe(call.control_url, "https"), END_CALL, headers=self._keyless)
        except VapiError as exc:
            return _was_open(exc)
        return True

    def control(self, control_url: str, message: Mapping[str, object]) -> None:
        """Send a control message to a live call, at the URL that its messages name: one of VAPI's. Needs no key."""
        url = self._safe(control_url, "https")
        host = urlsplit(url).hostname or ""
        if host != urlsplit(self._base_url).hostname and not host.endswith(VAPI_DOMAIN):
            raise VapiError(VapiErrorKind.MALFORMED_RESPONSE, "named a control URL that is not VAPI's")
        request_now("POST", url, message, headers=self._keyless)

    # Assistants

    def list_assistants(self) -> list[VapiAssistant]:
        """The newest 1000."""
        found = request_now("GET", f"{self._base_url}/assistant?limit={MOST_ASSISTANTS}", headers=self._headers)
        if not isinstance(found, list):
            raise VapiError(VapiErrorKind.MALFORMED_RESPONSE, "returned no list of assistants", status=200)
        return [read_assistant(each) for each in found]

    def get_assistant(self, assistant_id: str) -> VapiAssistant:
        return read_assistant(request_now("GET", self._url("assistant", assistant_id), headers=self._headers))

    def create_assistant(self, fields: Mapping[str, object]) -> VapiAssistant:
        return read_assistant(request_now("POST", f"{self._base_url}/assistant", fields, headers=self._headers))

    def update_assistant(self, assistant_id: str, fields: Mapping[str, object]) -> VapiAssistant:
        """Replace these fields; the others stay as they are."""
        return read_assistant(request_now("PATCH", self._url("assistant", assistant_id), fields, headers=self._headers))

    def delete_assistant(self, assistant_id: str) -> None:
        request_now("DELETE", self._url("assistant", assistant_id), headers=self._headers)

    @property
    def _keyless(self) -> Mapping[str, str]:
        return {"User-Agent": self._headers["User-Agent"]}

    def _url(self, kind: str, each_id: str) -> str:
        if not ID.fullmatch(each_id):
            raise error_of(404, f"not an id of VAPI's: {kind}", retry_after_s=None)
        return f"{self._base_url}/{kind}/{each_id}"

    def _created(self, response: object) -> VapiCall:
        call = read_call(response)
        limits = call.fields.get("subscriptionLimits")
        if isinstance(limits, Mapping) and limits.get("concurrencyBlocked") is True:
            raise VapiError(VapiErrorKind.CONCURRENCY_BLOCKED, "the account has too many calls at once")
        if not call.websocket_url:
            raise VapiError(VapiErrorKind.MALFORMED_RESPONSE, "returned a call without its socket")
        self._safe(call.websocket_url, "wss")
        return call

    def _safe(self, url: str, scheme: str) -> str:
        """A URL that carries a secret must be encrypted, unless VAPI itself is simulated on this machine."""
        parts = urlsplit(url)
        is_local = self._is_local and _is_local(url.replace("ws://", "http://", 1))
        if (parts.scheme != scheme and not is_local) or not parts.hostname or parts.username:
            raise VapiError(VapiErrorKind.MALFORMED_RESPONSE, f"returned a URL that is not {scheme}")
        return url


def call_request(
    assistant: str | Mapping[str, object], *, overrides: Mapping[str, object] | None = None, name: str = ""
) -> dict[str, object]:
    """The body of POST /call."""
    body: dict[str, object] = {"transport": dict(MULAW_TRANSPORT)}
    body |= {"assistantId": assistant} if isinstance(assistant, str) else {"assistant": dict(assistant)}
    if overrides:
        body["assistantOverrides"] = dict(overrides)
    if name:
        body["name"] = name[:40]
    return body


def read_call(response: object) -> VapiCall:
    """From VAPI's object, of which only the id must be there. A batch of calls has the one that we made first."""
    if isinstance(response, Mapping) and isinstance(batch := response.get("results"), Sequence) and batch:
        response = batch[0]
    if not isinstance(response, Mapping) or not _text(response, "id"):
        raise VapiError(VapiErrorKind.MALFORMED_RESPONSE, "returned no call")
    return VapiCall(
        id=_text(response, "id"),
        status=_text(response, "status"),
        ended_reason=_text(response, "endedReason"),
        cost_usd=read_cost(response.get("cost")),
        started_at=_time(response, "startedAt"),
        ended_at=_time(response, "endedAt"),
        websocket_url=_text(response.get("transport"), "websocketCallUrl"),
        control_url=_text(response.get("monitor"), "controlUrl"),
        fields=response,
    )


def read_assistant(response: object) -> VapiAssistant:
    if not isinstance(response, Mapping) or not _text(response, "id"):
        raise VapiError(VapiErrorKind.MALFORMED_RESPONSE, "returned no assistant")
    return VapiAssistant(_text(response, "id"), _text(response, "name"), response)


def read_cost(value: object) -> Decimal | None:
    """US dollars, to the sixth place."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10_000:
        return None
    return Decimal(str(value)).quantize(Decimal("0.000001"))


def _text(fields: object, name: str) -> str:
    value = fields.get(name) if isinstance(fields, Mapping) else None
    return value if isinstance(value, str) else ""


def _time(fields: Mapping[str, object], name: str) -> dt.datetime | None:
    try:
        read = dt.datetime.fromisoformat(_text(fields, name))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=dt.UTC)


def _was_open(exc: VapiError) -> bool:
    """A call that VAPI does not know any more is over; any other error is raised again."""
    if exc.kind in (VapiErrorKind.NOT_FOUND, VapiErrorKind.REFUSED):
        return False
    raise exc


def _is_local(url: str) -> bool:
    try:
        return read_origin(url).is_this_machine
    except ValueError:
        return False

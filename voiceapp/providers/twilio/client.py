"""Twilio's REST API: place, fetch, end and redirect calls."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from voiceapp.core.kept_texts import KeptText
from voiceapp.providers.errors import ProviderError, RetryClass, retry_after_s, retry_class_of

NOT_FOUND = 404
# “Cannot delete this resource before it is complete”: https://www.twilio.com/docs/api/errors/20009
UNDER_WAY = 20009
# The documented form of what we send to Twilio: docs/reference/provider-fields.md.
CALL_SID = re.compile(r"CA[0-9a-f]{32}")
# Of the `Twiml` parameter of a call's update.
MAX_TWIML_LENGTH = 4000
# <Dial>: ringing time, and duration of the dialed call.
RING_S = (1, 600)
DIAL_DURATION_S = (1, 4 * 60 * 60)
# <Record maxLength>
RECORDING_S = (1, 4 * 60 * 60)
# Name and value of a <Parameter> together.
MAX_PARAMETER_LENGTH = 500
OFFICIAL_URL = "https://api.twilio.com"
# Twilio's times have whole seconds, and its clock is not ours.
CLOCKS_DIFFER_BY = timedelta(seconds=60)
CONNECT_TIMEOUT_S = 2.0
RESPONSE_TIMEOUT_S = 5.0
FAULTS = (TwilioException, requests.RequestException, ValueError)  # ValueError: a response that is no JSON
# The call is not in progress, or does not exist (protocols A6, A7).
OVER_CODES = {21220, 20404}
# The number to be shown is not verified, or not valid (protocols A7).
CALLER_ID_CODES = {21210, 21212}
OVER_STATUSES = {"completed", "busy", "no-answer", "failed", "canceled"}
# The SDK has two shapes for one thing: Twilio's older errors, and those of RFC 9457.
REFUSALS = (TwilioRestException, TwilioServiceException)


class CallerIdRefused(ProviderError):
    """Twilio does not show this number. `code` is its own."""

    def __init__(self, code: int) -> None:
        super().__init__("twilio", f"caller ID refused ({code})", permanent=True)
        self.code = code


@dataclass(frozen=True, slots=True)
class CarrierCall:
    """A call as Twilio reports it; a call that Twilio does not know is over."""

    sid: str
    status: str
    ended_at: datetime | None = None  # whole seconds; None if Twilio does not report it
    answered_by: str = ""  # where that was to be detected: human, machine_start, fax, unknown

    @property
    def is_by_machine(self) -> bool:
        """Whether a voicemail or a fax has answered, as far as Twilio can hear."""
        return self.answered_by.startswith(("machine", "fax"))

    @property
    def is_over(self) -> bool:
        return self.status in OVER_STATUSES


class BoundedHttp(TwilioHttpClient):  # type: ignore[misc]  # the SDK is untyped
    """The SDK's transport with a timeout on every request, to the configured base URL."""

    def __init__(self, base_url: str) -> None:
        # Not pooled: the SDK's session is not thread-safe, and these requests are rare.
        super().__init__(pool_connections=False)
        # The SDK compares a timeout argument with 0, so a tuple has to be its default.
        self.timeout = (CONNECT_TIMEOUT_S, RESPONSE_TIMEOUT_S)
        self._base_url = base_url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """Raises ProviderError if Twilio names a wait: the SDK's exceptions have no headers."""
        response: Response = super().request(method, url.replace(OFFICIAL_URL, self._base_url, 1), *args, **kwargs)
        wait_s = retry_after_s((response.headers or {}).get("Retry-After"))
        if retry_class_of(response.status_code, retry_after_s=wait_s) is RetryClass.WAIT:
            raise ProviderError(
                "twilio", KeptText("returned %(status)d", status=response.status_code), retry_after_s=wait_s
            )
        return response


class TwilioClient:
    """One Twilio account. Every method raises ProviderError if Twilio does not carry out the request."""

    def __init__(self, *, account_sid: str, auth_token: str, base_url: str = OFFICIAL_URL) -> None:
        if not account_sid or not auth_token:
            raise ProviderError(
                "twilio", KeptText("TWILIO_ACCOUNT_SID or TWILIO_AUTH_TOKEN is not set"), permanent=True
            )
        self._client = Client(account_sid, auth_token, http_client=BoundedHttp(base_url.rstrip("/")))
        self.credentials = (account_sid, auth_token)
        self.account_url = f"{base_url.rstrip('/')}/2010-04-01/Accounts/{account_sid}"

    @classmethod
    def from_settings(cls) -> Self:
        """With the current token: the first one while a rotation lists several."""
        return cls(
            account_sid=settings.TWILIO_ACCOUNT_SID,
            auth_token=settings.TWILIO_AUTH_TOKEN.split(",")[0].strip(),
            base_url=settings.TWILIO_BASE_URL,
        )

    def fetch_call(self, sid: str) -> CarrierCall:
        """The call's status. A call that Twilio does not know is `canceled`."""
        try:
            found = self._client.calls(sid).fetch()
            return CarrierCall(
                sid, str(found.status), ended_at=found.end_time, answered_by=str(found.answered_by or "")
            )
        except FAULTS as fault:
            if is_over(fault):
                return CarrierCall(sid, "canceled")
            raise provider_error(fault) from fault

    def place_call(
        self,
        *,
        to: str,
        from_: str,
        url: str,
        status_callback: str,
        ring_s: int,
        limit_s: int,
        call_token: str = "",
    ) -> str:
        """Let a phone ring; `url` says what follows when it is answered. Returns the call's sid.

        A request without a response may still have been carried out: the callbacks say so. Raises CallerIdRefused.
        """
        optional = {"call_token": call_token} if call_token else {}
        try:
            created = self._client.calls.create(
                to=to,
                from_=from_,
                url=url,
                method="POST",
                status_callback=status_callback,
                status_callback_method="POST",
                status_callback_event=["initiated", "ringing", "answered", "completed"],
                timeout=ring_s,
                time_limit=limit_s,
                **optional,
            )
        except FAULTS as fault:
            if isinstance(fault, REFUSALS) and fault.code in CALLER_ID_CODES:
                raise CallerIdRefused(int(fault.code)) from fault
            raise provider_error(fault) from fault
        return str(created.sid)

    def call_and_say(self, *, to: str, from_: str, twiml: str, ring_s: int, limit_s: int) -> str:
        """Let a phone ring and carry out the TwiML when it is answered. Returns the call's sid.

        Twilio listens first whether a person or a machine has answered: `fetch_call` tells.
        A request without a response may still have been carried out: `find_calls` tells.
        """
        if len(twiml) > MAX_TWIML_LENGTH:
            raise ProviderError("twilio", f"TwiML of more than {MAX_TWIML_LENGTH} characters", permanent=True)
        try:
            created = self._client.calls.create(
                to=to, from_=from_, twiml=twiml, timeout=ring_s, time_limit=limit_s, machine_detection="Enable"
            )
        except FAULTS as fault:
            raise provider_error(fault) from fault
        return str(created.sid)

    def find_calls(self, *, to: str, since: datetime) -> list[str]:
        """The sids of the calls that we placed to the number since then, the oldest first."""
        try:
            found = self._client.calls.list(to=to, limit=50)
        except FAULTS as fault:
            raise provider_error(fault) from fault
        placed = [each for each in found if str(each.direction) == "outbound-api" and each.to == to]
        recent = [each for each in placed if each.date_created and each.date_created >= since - CLOCKS_DIFFER_BY]
        return [str(each.sid) for each in sorted(recent, key=lambda each: each.date_created)]

    def continue_at(self, sid: str, *, url: str) -> bool:
        """Continue the call with what the address returns. False if it had already ended."""
        return self._update(sid, url=url, method="POST")

    def hang_up(self, sid: str) -> bool:
        """End the call. False if it had already ended."""
        return self._update(sid, status="completed")

    def redirect(self, sid: str, *, twiml: str) -> bool:
        """Continue the call with other TwiML, which ends its media stream. False if it had already ended."""
        return self._update(sid, twiml=twiml)

    def delete_call(self, sid: str) -> bool:
        """Twilio's record of a call that is over. False if Twilio no longer had it."""
        if not CALL_SID.fullmatch(sid):
            raise ProviderError("twilio", "not a CallSid", permanent=True)
        return deleted(self._client.calls(sid).delete)

    def _update(self, sid: str, **changes: str) -> bool:
        if not CALL_SID.fullmatch(sid):
            raise ProviderError("twilio", "not a CallSid", permanent=True)
        if len(changes.get("twiml", "")) > MAX_TWIML_LENGTH:
            raise ProviderError("twilio", f"TwiML of more than {MAX_TWIML_LENGTH} characters", permanent=True)
        try:
            self._client.calls(sid).update(**changes)
        except FAULTS as fault:
            if is_over(fault):
                return False
            raise provider_error(fault) from fault
        return True


def deleted(delete: Callable[[], object]) -> bool:
    """False if Twilio no longer had it. Raises ProviderError; what is still under way can be deleted later."""
    try:
        delete()
    except FAULTS as fault:
        if is_unknown(fault):
            return False
        if isinstance(fault, REFUSALS) and fault.code == UNDER_WAY:
            raise ProviderError("twilio", KeptText("it is still under way there")) from fault
        raise provider_error(fault) from fault
    return True


def is_unknown(fault: Exception) -> bool:
    return isinstance(fault, REFUSALS) and fault.status == NOT_FOUND


def is_over(fault: Exception) -> bool:
    return isinstance(fault, REFUSALS) and fault.code in OVER_CODES


def provider_error(fault: Exception) -> ProviderError:
    """Convert an exception of the SDK or the network; permanent if the same request would be refused again."""
    if isinstance(fault, REFUSALS):
        why = fault.msg if isinstance(fault, TwilioRestException) else fault.title
        message = f"{fault.status} {fault.code or ''} {why}"[:300]
        retry_class = retry_class_of(fault.status) if fault.status >= 400 else RetryClass.AGAIN
        return ProviderError("twilio", message, retry_class=retry_class)
    return ProviderError("twilio", KeptText("no response (%(why)s)", why=type(fault).__name__))

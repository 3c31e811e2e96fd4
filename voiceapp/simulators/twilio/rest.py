"""The part of Twilio's REST API that live calls need: Basic auth, forms in, JSON out, Twilio's error codes."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from aiohttp import web

from voiceapp.simulators.twilio.attributes import E164
from voiceapp.simulators.twilio.call_resource import call_resource
from voiceapp.simulators.twilio.carrier import Carrier
from voiceapp.simulators.twilio.faults import TwilioFaults
from voiceapp.simulators.twilio.incoming_numbers import IncomingNumbersApi
from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.messages_api import MessagesApi
from voiceapp.simulators.twilio.numbers import Behavior
from voiceapp.simulators.twilio.plan import DEFAULT_LIMIT_S, CallPlan
from voiceapp.simulators.twilio.recordings_api import RecordingsApi
from voiceapp.simulators.twilio.rest_error import Handler, RestError, faults_of, form_of, not_found
from voiceapp.simulators.twilio.status import Status
from voiceapp.simulators.twilio.twiml import Document, TwimlError, Verb, parse

_PREFIX = r"/{faults:(?:fault/[^/]+/)*}2010-04-01/Accounts/{account}"
_MAX_TWIML = 4000


class RestApi:
    """A resource is a handler here and a line in `add_to`."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier, self._account = carrier, carrier.account

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(f"{_PREFIX}/Calls.json", self._guarded(self._create_call))
        app.router.add_get(f"{_PREFIX}/Calls.json", self._guarded(self._list_calls))
        app.router.add_get(f"{_PREFIX}/Calls/{{sid}}.json", self._guarded(self._show_call))
        app.router.add_post(f"{_PREFIX}/Calls/{{sid}}.json", self._guarded(self._update_call))
        app.router.add_delete(f"{_PREFIX}/Calls/{{sid}}.json", self._guarded(self._delete_call))
        MessagesApi(self._account).add_to(app, _PREFIX, self._guarded)
        RecordingsApi(self._account, find_call=self._carrier.find).add_to(app, _PREFIX, self._guarded)
        IncomingNumbersApi(self._account).add_to(app, _PREFIX, self._guarded)
        app.router.add_route("*", f"{_PREFIX}/{{rest:.*}}", self._guarded(self._unknown))

    def _guarded(self, handler: Handler) -> Handler:
        """Faults first, then authentication, then the resource."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                faults = faults_of(request)
                if "rest_slow" in faults:
                    await asyncio.sleep(faults.number("rest_slow") / 1000)
                if "rest_500" in faults:
                    raise RestError(500, 20500, "An internal server error has occurred")
                self._authenticate(request)
                response = await handler(request)
                if "rest_late" in faults:
                    await asyncio.sleep(faults.number("rest_late") / 1000)
                return response
            except RestError as exc:
                return exc.response

        return guarded

    def _authenticate(self, request: web.Request) -> None:
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (ValueError, binascii.Error):
            username = password = ""
        expected = f"{self._account.sid}:{self._account.auth_token}".encode()
        if scheme.lower() != "basic" or not hmac.compare_digest(f"{username}:{password}".encode(), expected):
            raise RestError(401, 20003, "Authenticate")
        if request.match_info["account"] != self._account.sid:
            raise not_found(request)

    async def _create_call(self, request: web.Request) -> web.Response:
        form = await form_of(request)
        to_number, from_number = form.get("To", ""), form.get("From", "")
        if not to_number:
            raise RestError(400, 21201, "No 'To' number is specified")
        if not from_number:
            raise RestError(400, 21213, "'From' phone number is required")
        if not _is_callable(to_number):
            raise RestError(400, 21211, f"Invalid 'To' Phone Number: {to_number}")
        if not E164.fullmatch(from_number):
            raise RestError(400, 21212, f"Invalid 'From' Phone Number: {from_number}")
        self._check_caller_id(from_number, form.get("CallToken", ""), faults_of(request))
        url, twiml = form.get("Url", ""), form.get("Twiml", "")
        if not url and not twiml:
            raise RestError(400, 21205, "Url parameter is required")
        _check(form)
        events = (await request.post()).getall("StatusCallbackEvent", ["completed"])
        call = self._carrier.place_outbound_call(
            CallPlan(
                from_number=from_number,
                to_number=to_number,
                direction="outbound-api",
                voice_url=url,
                voice_method=form.get("Method", "POST"),
                voice_fallback_url=form.get("FallbackUrl", ""),
                twiml=twiml,
                status_callback=form.get("StatusCallback", ""),
                status_callback_method=form.get("StatusCallbackMethod", "POST"),
                status_callback_events=tuple(word for event in events for word in str(event).split()),
                steps=self._account.number(to_number).script,
                faults=faults_of(request),
                answered_by=self._answered_by(to_number) if form.get("MachineDetection") else "",
                limit_s=float(form.get("TimeLimit", DEFAULT_LIMIT_S)),
                ring_s=float(form.get("Timeout", 60)),
            )
        )
        return web.json_response(call_resource(call), status=201)

    def _answered_by(self, number: str) -> str:
        """What the detection of machines will have heard."""
        is_machine = self._account.number(number).behaves is Behavior.VOICEMAIL
        return "machine_start" if is_machine else "human"

    def _check_caller_id(self, from_number: str, token: str, faults: TwilioFaults) -> None:
        """The caller's own number may be shown with the token of that caller's call while it goes on."""
        if "caller_id_refused" in faults and not self._account.owns(from_number):
            code = int(faults.number("caller_id_refused"))
            raise RestError(400, code, f"The source phone number {from_number} may not be shown")
        if token and not any(call.allows(from_number, token) for call in self._carrier.calls.values()):
            raise RestError(400, 21210, f"The source phone number {from_number} is not verified for your account")

    async def _list_calls(self, request: web.Request) -> web.Response:
        wanted = request.query.get("Status")
        calls = [call_resource(c) for c in self._carrier.legs() if wanted in (None, c.status.value)]
        return web.json_response({"calls": calls, "page": 0, "page_size": len(calls), "next_page_uri": None})

    async def _show_call(self, request: web.Request) -> web.Response:
        return web.json_response(call_resource(self._call(request)))

    async def _delete_call(self, request: web.Request) -> web.Response:
        call = self._call(request)
        if not call.status.is_final:
            raise RestError(409, 20009, "Cannot delete this resource before it is complete")
        self._carrier.calls.pop(call.sid, None)
        return web.Response(status=204)

    async def _update_call(self, request: web.Request) -> web.Response:
        call = self._call(request)
        form = await form_of(request)
        status, twiml, url = form.get("Status", ""), form.get("Twiml", ""), form.get("Url", "")
        _check(form)
        if status not in ("", "completed", "canceled"):
            raise RestError(400, 21218, f"Status {status!r} is invalid")
        if call.status.is_final:
            raise RestError(400, 21220, "Invalid call state: Call is not in-progress. Cannot redirect.")
        if status == "canceled" and call.status is Status.IN_PROGRESS:
            raise RestError(400, 21220, "Invalid call state: Call is in-progress. Cannot cancel.")
        if status:
            # A cancellation may cross the answer on its way.
            if "answers_late" not in call.faults or call.status is Status.IN_PROGRESS:
                call.hang_up(by="rest")
        elif url or twiml:
            if call.status is not Status.IN_PROGRESS:
                raise RestError(400, 21220, "Invalid call state: Call is not in-progress. Cannot redirect.")
            try:
                document = _redirect_to(url, form.get("Method", "POST")) if url else parse(twiml, url="")
            except TwimlError as exc:
                raise RestError(400, exc.code, exc.message) from exc
            call.redirect(document)
        return web.json_response(call_resource(call))

    async def _unknown(self, request: web.Request) -> web.Response:
        raise not_found(request)

    def _call(self, request: web.Request) -> CallLeg:
        call = self._carrier.find(request.match_info["sid"])
        if call is None:
            raise not_found(request)
        return call


def _is_callable(number: str) -> bool:
    return bool(E164.fullmatch(number)) or number.startswith(("sip:", "client:"))


def _check(form: Mapping[str, str]) -> None:
    """Validate the form that creates or updates a call. Raises RestError."""
    if len(form.get("Twiml", "")) > _MAX_TWIML:
        raise RestError(400, 21605, f"Twiml is longer than {_MAX_TWIML} characters")
    for name, code in (("Url", 21205), ("FallbackUrl", 21205), ("StatusCallback", 21609)):
        if form.get(name) and urlsplit(form[name]).scheme not in ("http", "https"):
            raise RestError(400, code, f"{name} is not a valid URL: {form[name]}")
    for name in ("Method", "FallbackMethod", "StatusCallbackMethod"):
        if form.get(name, "POST").upper() not in ("GET", "POST"):
            raise RestError(400, 21209, f"{name} is not valid: {form[name]}")
    timeout = form.get("Timeout", "60")
    if not (timeout.isdigit() and 1 <= int(timeout) <= 600):
        raise RestError(400, 21208, f"Timeout is not valid: {timeout}")


def _redirect_to(url: str, method: str) -> Document:
    return Document((Verb("Redirect", {"method": method}, url),), url)

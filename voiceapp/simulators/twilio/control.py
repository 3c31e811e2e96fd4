"""The control API under /local/: place calls, read reports and recordings, hang up, configure numbers."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from voiceapp.simulators.twilio.call import SimulatedCall
from voiceapp.simulators.twilio.carrier import Carrier
from voiceapp.simulators.twilio.faults import TwilioFaults
from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.numbers import Number
from voiceapp.simulators.twilio.person import PersonProfile
from voiceapp.simulators.twilio.plan import DEFAULT_LIMIT_S
from voiceapp.simulators.twilio.report import report_of

_PREFIX = r"/{faults:(?:fault/[^/]+/)*}local"
_PROFILE = {field.name for field in dataclasses.fields(PersonProfile)}
_FIELDS = _PROFILE | {
    "from",
    "to",
    "voice_url",
    "voice_fallback_url",
    "status_callback",
    "status_callback_events",
    "steps",
    "faults",
    "limit_s",
    "noise",
    "keeps_sound",
}
_MAX_WAIT_S = 60.0


class ControlApi:
    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(f"{_PREFIX}/calls", self._place_call)
        app.router.add_get(f"{_PREFIX}/calls", self._list_calls)
        app.router.add_get(f"{_PREFIX}/calls/{{sid}}", self._show_call)
        app.router.add_get(f"{_PREFIX}/calls/{{sid}}/recording.wav", self._recording)
        app.router.add_post(f"{_PREFIX}/calls/{{sid}}/hangup", self._hang_up)
        app.router.add_post(f"{_PREFIX}/calls/{{sid}}/steps", self._add_steps)
        app.router.add_get(f"{_PREFIX}/messages", self._inbox)
        app.router.add_post(f"{_PREFIX}/messages", self._text)
        app.router.add_put(f"{_PREFIX}/numbers/{{number}}", self._set_number)
        app.router.add_get(f"{_PREFIX}/numbers", self._list_numbers)

    async def _place_call(self, request: web.Request) -> web.Response:
        given = await _json_object(request)
        if unknown := set(given) - _FIELDS:
            return _bad_request(
                f"unknown fields: {', '.join(sorted(unknown))}; known fields: {', '.join(sorted(_FIELDS))}"
            )
        if not given.get("from") or not given.get("to"):
            return _bad_request("from and to are required")
        try:
            faults_of_url = TwilioFaults.from_path(request.match_info["faults"])
            call = await self._carrier.place_call(
                from_number=str(given["from"]),
                to_number=str(given["to"]),
                voice_url=str(given.get("voice_url") or ""),
                voice_fallback_url=str(given.get("voice_fallback_url") or ""),
                status_callback=str(given.get("status_callback") or ""),
                status_callback_events=given.get("status_callback_events") or ("completed",),
                steps=given.get("steps") or (),
                faults=faults_of_url | _faults(given.get("faults")),
                profile=PersonProfile(**{name: given[name] for name in _PROFILE & set(given)}),
                limit_s=float(given.get("limit_s", DEFAULT_LIMIT_S)),
                noise=bool(given.get("noise", True)),
                keeps_sound=bool(given.get("keeps_sound", True)),
            )
        except (ValueError, TypeError, OSError) as exc:
            return _bad_request(str(exc))
        return web.json_response(
            {"sid": call.sid, "from": call.plan.from_number, "to": call.plan.to_number}, status=201
        )

    async def _list_calls(self, request: web.Request) -> web.Response:
        """All legs, or those to a number: `?to=%2B15550003333`. `open` counts those that have not ended."""
        wanted = request.query.get("to")
        legs = [leg for leg in self._carrier.legs() if wanted in (None, leg.plan.to_number)]
        calls = [
            {
                "sid": c.sid,
                "from": c.plan.from_number,
                "to": c.plan.to_number,
                "status": c.status.value,
                "done": c.is_done,
            }
            for c in legs
        ]
        return web.json_response({"calls": calls, "open": sum(not leg.is_done for leg in legs)})

    async def _show_call(self, request: web.Request) -> web.Response:
        """The report. `?wait_s=30` waits for the end of the call, at most so long."""
        call = self._call(request)
        wait_s = min(float(request.query.get("wait_s", 0)), _MAX_WAIT_S)
        if wait_s > 0 and isinstance(call, SimulatedCall):
            await call.wait_for_end(within_s=wait_s)
        return web.json_response(report_of(call).as_json(), dumps=_dumps)

    async def _recording(self, request: web.Request) -> web.Response:
        wav = await asyncio.to_thread(lambda: self._call(request).recording)
        return web.Response(body=wav, content_type="audio/wav")

    async def _hang_up(self, request: web.Request) -> web.Response:
        call = self._call(request)
        call.hang_up(by="caller")
        return web.json_response({"sid": call.sid, "status": call.status.value})

    async def _add_steps(self, request: web.Request) -> web.Response:
        """Steps for the caller after those of the script: `{"steps": […]}`."""
        call = self._call(request)
        try:
            call.add_steps((await _json_object(request)).get("steps") or ())
        except ValueError as exc:
            return _bad_request(str(exc))
        return web.json_response({"sid": call.sid, "status": call.status.value}, status=202)

    async def _inbox(self, request: web.Request) -> web.Response:
        """`?number=`: the texts that arrived there. `?count=2&wait_s=10` waits for so many, at most so long."""
        messages, number = self._carrier.account.messages, request.query.get("number", "")
        wait_s = min(float(request.query.get("wait_s", 0)), _MAX_WAIT_S)
        count = int(request.query.get("count", 1))
        arrived = await messages.wait_for(number, count, within_s=wait_s) if wait_s > 0 else messages.inbox(number)
        return web.json_response({"messages": [each.as_json() for each in arrived]})

    async def _text(self, request: web.Request) -> web.Response:
        """A phone texts a number: `{from, to, body, sms_url?}`."""
        given = await _json_object(request)
        if not given.get("from") or not given.get("to"):
            return _bad_request("from and to are required")
        number = self._carrier.numbers.get(str(given["to"]), Number())
        message = await self._carrier.account.messages.receive(
            from_number=str(given["from"]),
            to_number=str(given["to"]),
            body=str(given.get("body") or ""),
            url=str(given.get("sms_url") or number.sms_url),
        )
        return web.json_response(message.as_json(), status=201)

    async def _set_number(self, request: web.Request) -> web.Response:
        try:
            number = Number.from_json(await _json_object(request))
        except ValueError as exc:
            return _bad_request(str(exc))
        self._carrier.numbers[request.match_info["number"]] = number
        return web.json_response(_number_json(number))

    async def _list_numbers(self, request: web.Request) -> web.Response:
        return web.json_response({name: _number_json(number) for name, number in self._carrier.numbers.items()})

    def _call(self, request: web.Request) -> CallLeg:
        call = self._carrier.find(request.match_info["sid"])
        if call is None:
            raise web.HTTPNotFound(text=json.dumps({"error": "unknown call"}), content_type="application/json")
        return call


def _faults(given: object) -> TwilioFaults:
    """`["no_stop", "gaps=300"]` or `{"no_stop": true, "gaps": 300}`."""
    if isinstance(given, Mapping):
        chosen = {name: "" if value is True else str(value) for name, value in given.items() if value is not False}
        return TwilioFaults({str(name): value for name, value in chosen.items()})
    return TwilioFaults.parse(str(fault) for fault in given) if isinstance(given, list) else TwilioFaults()


def _number_json(number: Number) -> dict[str, object]:
    return dataclasses.asdict(number)


async def _json_object(request: web.Request) -> dict[str, Any]:
    try:
        given = await request.json()
    except ValueError as exc:
        raise web.HTTPBadRequest(
            text=json.dumps({"error": f"not JSON: {exc}"}), content_type="application/json"
        ) from exc
    if not isinstance(given, dict):
        raise web.HTTPBadRequest(text=json.dumps({"error": "not an object"}), content_type="application/json")
    return given


def _bad_request(message: str) -> web.Response:
    return web.json_response({"error": message}, status=400)


def _dumps(value: object) -> str:
    return json.dumps(value, default=str)

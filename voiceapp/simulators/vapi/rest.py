"""The REST API: calls, assistants and credentials, with the checks that come before every request."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from voiceapp.simulators.fault_path import UnknownFault
from voiceapp.simulators.vapi.account import VapiAccount
from voiceapp.simulators.vapi.assistants import CallSettings
from voiceapp.simulators.vapi.audio_format import AudioFormat
from voiceapp.simulators.vapi.call import CONCURRENCY_BLOCKED, VapiCall
from voiceapp.simulators.vapi.dto import check_assistant, check_call, check_deletion
from voiceapp.simulators.vapi.errors import NO_USER_AGENT, VapiError, not_found, refusal
from voiceapp.simulators.vapi.faults import VapiFaults

_FOREVER_S = 3600
_DEFAULT_LIMIT = 100
Handler = Callable[[web.Request, VapiFaults], Awaitable[web.StreamResponse]]


class RestApi:
    """`end_call` ends the live call with this id, if there is one."""

    def __init__(self, account: VapiAccount, *, end_call: Callable[[str], object]) -> None:
        self._account, self._end_call = account, end_call
        self._attempts: Counter[str] = Counter()

    def add_to(self, app: web.Application) -> None:
        prefix = "/{faults:(?:fault/[^/]+/)*}"
        for method, path, handler in (
            ("POST", "call", self._create_call),
            ("GET", "call", self._list_calls),
            ("GET", "call/{id}", self._get_call),
            ("PATCH", "call/{id}", self._update_call),
            ("DELETE", "call/{id}", self._delete_call),
            ("POST", "assistant", self._create_assistant),
            ("GET", "assistant", self._list_assistants),
            ("GET", "assistant/{id}", self._get_assistant),
            ("PATCH", "assistant/{id}", self._update_assistant),
            ("DELETE", "assistant/{id}", self._delete_assistant),
            ("POST", "credential", self._create_credential),
            ("DELETE", "credential/{id}", self._delete_credential),
        ):
            app.router.add_route(method, prefix + path, self._checked(handler))

    def _checked(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def respond(request: web.Request) -> web.StreamResponse:
            try:
                faults = VapiFaults.of(request.match_info["faults"])
            except UnknownFault as exc:
                return VapiError(404, str(exc)).response()
            if not request.headers.get("User-Agent"):
                return web.Response(status=403, text=NO_USER_AGENT)
            try:
                self._refuse(request, faults)
                await asyncio.sleep(faults.seconds("slow"))
                if "no_answer" in faults:
                    await asyncio.sleep(_FOREVER_S)
                response = await handler(request, faults)
            except VapiError as exc:
                return exc.response()
            if "bad_json" in faults:
                return web.Response(status=response.status, body=b"\x00{not json", content_type="application/json")
            return response

        return respond

    def _refuse(self, request: web.Request, faults: VapiFaults) -> None:
        self._attempts[faults.key] += 1
        if "flaky" in faults and self._attempts[faults.key] <= faults.number("flaky"):
            raise refusal(503)
        if "refuse" in faults:
            raise refusal(faults.number("refuse"))
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or key.strip() not in self._account.keys:
            raise refusal(401)

    # calls

    async def _create_call(self, request: web.Request, faults: VapiFaults) -> web.StreamResponse:
        body = check_call(await _body(request))
        assistants = self._account.assistants.by_id
        assistant = body.get("assistant") or assistants.get(body.get("assistantId") or "")
        if assistant is None:
            raise VapiError(400, f"Couldn't get assistant {body['assistantId']}. Does it exist?")
        path = f"/{faults.key}".rstrip("/")
        call = VapiCall(
            self._account.org_id, body, CallSettings.of(assistant, body.get("assistantOverrides")),
            AudioFormat.of(body["transport"].get("audioFormat")), faults, f"{self._account.address}{path}",
        )  # fmt: skip
        if "concurrency_blocked" in faults:
            call.finish(CONCURRENCY_BLOCKED)
        self._account.calls[call.id] = call
        return web.json_response(call.shown(is_new=True), status=201)

    async def _list_calls(self, request: web.Request, faults: VapiFaults) -> web.StreamResponse:
        calls = [call.shown() for call in self._account.calls.values()]
        wanted = request.query.get("assistantId")
        found = [call for call in calls if wanted is None or call.get("assistantId") == wanted]
        return web.json_response(_newest(found, request))

    async def _get_call(self, request: web.Request, faults: VapiFaults) -> web.StreamResponse:
        return web.json_response(self._call(request).shown())

    async def _update_call(self, request: web.Request, faults: VapiFaults) -> web.StreamResponse:
        body = await _body(request)
        if not isinstance(body, dict) or set(body) - {"name"} or not isinstance(body.get("name"), str):
            raise VapiError(400, ["name must be a string"])
        call = self._call(request)
        call.name = body["name"]
        return web.json_response(call.shown())

    async def _delete_call(self, request: web.Request, faults: VapiFaults) -> web.StreamResponse:
        """Deletes what is stored of a call; a live one ends. With `ids` these, whatever the address."""
        ids = check_deletion(await _body(request)).get("ids")
        call = self._call(request) if ids is None else None
        shown = call.shown() if call else {"ids": ids}
        for call_id in [call.id] if call else ids or ():
            if call_id in self._account.calls:
                self._end_call(call_id)
                del self._account.calls[call_id]
        return web.json_response(shown)

    def _call(self, request: web.Request) -> VapiCall:
        call = self._account.calls.get(request.match_info["id"])
        if call is None:
            raise not_found("Call", request.match_info["id"])
        return call

    # assistants and credentials

    async def _create_assistant(self, request: web.Request, faults: VapiFaults) -> web.StreamResponse:
        body = check_assistant(await _body(request))
        return web.json_response(self._account.assistants.create(body), status=201)

    async def _list_assistants(self, request: web.Request, faults: VapiFaults) -> web.StreamResponse:
        return web.json_response(_newest(self._account.assistants.newest(), request))

    async def _get_assistant(self, request: web.Request, faults: VapiFaults) -> web.StreamResponse:
        return web.json_response(self._account.assistants.get(request.match_info["id"]))

    async def _update_assistant(self, request: web.Request, faults: VapiFaults) -> web.StreamResponse:
        identifier = request.match_info["id"]
        self._account.assistants.get(identifier)
        return web.json_response(self._account.assistants.update(identifier, check_assistant(await _body(request))))

    async def _delete_assistant(self, request: web.Request, faults: VapiFaults) -> web.StreamResponse:
        return web.json_response(self._account.assistants.delete(request.match_info["id"]))

    async def _create_credential(self, request: web.Request, faults: VapiFaults) -> web.StreamResponse:
        return web.json_response(self._account.credentials.create(await _body(request)), status=201)

    async def _delete_credential(self, request: web.Request, faults: VapiFaults) -> web.StreamResponse:
        return web.json_response(self._account.credentials.delete(request.match_info["id"]))


def _newest(resources: list[dict[str, Any]], request: web.Request) -> list[dict[str, Any]]:
    """Sorted and filtered by the query: `limit`, `createdAtLt`, `createdAtGt`, `id`."""
    query = request.query
    limit = query.get("limit", str(_DEFAULT_LIMIT))
    if not limit.isdigit() or not 0 <= int(limit) <= 1000:
        raise VapiError(400, ["limit must not be greater than 1000"])
    found = sorted(resources, key=lambda each: str(each["createdAt"]), reverse=True)
    found = [each for each in found if query.get("id") in (None, each["id"])]
    found = [each for each in found if each["createdAt"] < query.get("createdAtLt", "~")]
    return [each for each in found if each["createdAt"] > query.get("createdAtGt", "")][: int(limit)]


async def _body(request: web.Request) -> Any:
    """Raises VapiError."""
    try:
        return json.loads(await request.text() or "{}")
    except (ValueError, RecursionError) as exc:
        raise VapiError(400, "Unexpected token in JSON.") from exc

"""The HTTP requests of calls: an offer, and the hang-up (protocols.md, B2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from aiohttp import web

from voiceapp.simulators.openai.event_sender import EventSender
from voiceapp.simulators.openai.faults import OpenAIFaults
from voiceapp.simulators.openai.gate import Gate
from voiceapp.simulators.openai.http_errors import error_response
from voiceapp.simulators.openai.http_faults import inject_fault
from voiceapp.simulators.openai.schema import InvalidRequest
from voiceapp.simulators.openai.session import RealtimeSession
from voiceapp.simulators.openai.webrtc.call import WebRTCCall
from voiceapp.simulators.openai.webrtc.calls import CallRequest, WebRTCCalls, read_call_request
from voiceapp.simulators.openai.webrtc.playout import Playout


class OpenSession(Protocol):
    def __call__(
        self, sender: EventSender, faults: OpenAIFaults, *, model: str, settings: Mapping[str, Any], playout: Playout
    ) -> RealtimeSession: ...


async def create_call(
    request: web.Request, faults: OpenAIFaults, gate: Gate, calls: WebRTCCalls, open_session: OpenSession
) -> web.StreamResponse:
    if (rejection := gate.rejection(request, faults, of_secrets=True)) is not None:
        return rejection
    if (faulty := await inject_fault(request, faults)) is not None:
        return faulty
    try:
        call, answer = await _opened(request, await read_call_request(request), faults, gate, calls, open_session)
    except InvalidRequest as exc:
        status = 404 if exc.code == "model_not_found" else 400
        return error_response(status, exc.code, exc.message, param=exc.param)
    headers = {"Location": f"/v1/realtime/calls/{call.id}"}
    return web.Response(status=201, text=answer, content_type="application/sdp", headers=headers)


async def _opened(
    request: web.Request, wanted: CallRequest, faults: OpenAIFaults, gate: Gate, calls: WebRTCCalls,
    open_session: OpenSession,
) -> tuple[WebRTCCall, str]:  # fmt: skip
    secret = gate.secret_of(request)
    settings = wanted.settings or (secret.settings if secret is not None else {})
    model = request.query.get("model") or settings.get("model") or (secret.model if secret is not None else None)
    if (wrong := gate.error_of_model(model)) is not None:
        raise InvalidRequest(*wrong, "model")

    def make_session(sender: EventSender, playout: Playout) -> RealtimeSession:
        return open_session(sender, faults, model=str(model), settings=settings, playout=playout)

    return await calls.open(wanted.offer, make_session, faults)


async def hang_up(request: web.Request, faults: OpenAIFaults, gate: Gate, calls: WebRTCCalls) -> web.StreamResponse:
    if (rejection := gate.rejection(request, faults)) is not None:
        return rejection
    call = calls.find(request.match_info["call_id"])
    if call is None:
        return no_such_call(request.match_info["call_id"])
    await call.aclose(1000, "The call was hung up.")
    return web.Response()


def no_such_call(call_id: str) -> web.Response:
    return error_response(404, "call_not_found", f"No call with the id '{call_id}' is in progress.", param="call_id")

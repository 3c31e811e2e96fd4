"""The control API under /local/: participants, agents, recordings, the clock, webhooks and faults."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from google.protobuf import json_format
from google.protobuf.message import Message
from livekit.protocol.egress import EgressInfo
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.webhook import WebhookEvent

from voiceapp.simulators.livekit.backend import LiveKitBackend
from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.request_faults import PREFIX
from voiceapp.simulators.livekit.tokens import InvalidToken
from voiceapp.simulators.livekit.twirp import STATUS, TwirpError

Handler = Callable[[web.Request], Awaitable[web.Response]]


class ControlApi:
    def __init__(self, backend: LiveKitBackend) -> None:
        self._backend = backend

    def add_to(self, app: web.Application) -> None:
        participant_path = f"{PREFIX}local/rooms/{{room}}/participants/{{identity}}"
        for method, path, handler in (
            ("GET", f"{PREFIX}local/state", self._state),
            ("POST", f"{PREFIX}local/join", self._join),
            ("POST", f"{participant_path}/publish", self._publish),
            ("POST", f"{participant_path}/unpublish", self._unpublish),
            ("POST", f"{participant_path}/leave", self._leave),
            ("POST", f"{PREFIX}local/rooms/{{room}}/dispatches/{{dispatch}}/join", self._join_agent),
            ("POST", f"{PREFIX}local/egress/{{egress}}", self._set_egress),
            ("POST", f"{PREFIX}local/clock", self._advance),
            ("PUT", f"{PREFIX}local/faults", self._set_faults),
            ("GET", f"{PREFIX}local/webhooks", self._list_webhooks),
            ("PUT", f"{PREFIX}local/webhooks", self._set_webhooks),
            ("POST", f"{PREFIX}local/webhooks", self._emit_webhook),
            ("POST", f"{PREFIX}local/webhooks/{{number}}/send-again", self._send_again),
        ):
            app.router.add_route(method, path, _with_errors(handler))

    async def _state(self, request: web.Request) -> web.Response:
        rooms = [
            {
                "room": _message_json(room.info),
                "participants": [_message_json(each) for each in room.participants.values()],
                "dispatches": [_message_json(each) for each in room.dispatches.values()],
                "faults": room.faults.names,
            }
            for room in self._backend.rooms.open.values()
        ]
        recordings = [_message_json(each.info) for each in self._backend.recorder.recordings.values()]
        return web.json_response({"rooms": rooms, "recordings": recordings})

    async def _join(self, request: web.Request) -> web.Response:
        """`{"token": …, "publish"?: true}`: with the microphone published by default."""
        given = await _json_object(request)
        faults = LiveKitFaults.from_path(request.match_info["faults"])
        room, participant = self._backend.join(str(given.get("token") or ""), faults=faults)
        if given.get("publish", True):
            self._backend.rooms.publish(room, participant.identity, "microphone")
        return web.json_response(_message_json(participant), status=201)

    async def _publish(self, request: web.Request) -> web.Response:
        """`{"source"?: "microphone"}`"""
        source = str((await _json_object(request)).get("source") or "microphone")
        room = self._backend.rooms.get(request.match_info["room"])
        return web.json_response(
            _message_json(self._backend.rooms.publish(room, request.match_info["identity"], source))
        )

    async def _unpublish(self, request: web.Request) -> web.Response:
        """`{"sid": …}`"""
        room = self._backend.rooms.get(request.match_info["room"])
        sid = str((await _json_object(request)).get("sid") or "")
        self._backend.rooms.unpublish(room, request.match_info["identity"], sid)
        return web.json_response({})

    async def _leave(self, request: web.Request) -> web.Response:
        """`{"reason"?: "CLIENT_INITIATED"}`"""
        room = self._backend.rooms.get(request.match_info["room"])
        parsed = ParticipantInfo(
            disconnect_reason=str((await _json_object(request)).get("reason") or "CLIENT_INITIATED")
        )
        self._backend.rooms.leave(room, request.match_info["identity"], parsed.disconnect_reason)
        return web.json_response({})

    async def _join_agent(self, request: web.Request) -> web.Response:
        room = self._backend.rooms.get(request.match_info["room"])
        return web.json_response(
            _message_json(self._backend.workers.join(room, request.match_info["dispatch"])), status=201
        )

    async def _set_egress(self, request: web.Request) -> web.Response:
        """`{"status": "EGRESS_FAILED", "error"?: …, "code"?: 500}`"""
        given = await _json_object(request)
        status = EgressInfo(status=str(given.get("status"))).status
        self._backend.recorder.set_status(
            request.match_info["egress"], status, error=str(given.get("error") or ""), code=int(given.get("code") or 0)
        )
        return web.json_response({})

    async def _advance(self, request: web.Request) -> web.Response:
        """`{"advance_s": 300}`: everything due by then happens."""
        self._backend.clock.advance(float((await _json_object(request)).get("advance_s") or 0))
        return web.json_response({})

    async def _set_faults(self, request: web.Request) -> web.Response:
        """`{"faults": ["agent_never"]}` for the rooms that are created from now on."""
        self._backend.rooms.faults = LiveKitFaults.parse(map(str, (await _json_object(request)).get("faults") or []))
        return web.json_response({"faults": self._backend.rooms.faults.names})

    async def _list_webhooks(self, request: web.Request) -> web.Response:
        """`?idle=1` waits until all are delivered or given up."""
        if request.query.get("idle"):
            await self._backend.webhooks.idle()
        return web.json_response({"webhooks": [dataclasses.asdict(each) for each in self._backend.webhooks.deliveries]})

    async def _set_webhooks(self, request: web.Request) -> web.Response:
        """`{"urls": [...]}`"""
        self._backend.webhooks.urls = [str(url) for url in (await _json_object(request)).get("urls") or []]
        return web.json_response({"urls": self._backend.webhooks.urls})

    async def _emit_webhook(self, request: web.Request) -> web.Response:
        """Any event, as LiveKit's JSON: `{"event": …, "room": {…}}`; it gets an id, a time and a signature."""
        given = json_format.ParseDict(await _json_object(request), WebhookEvent())
        content = {
            name: getattr(given, name)
            for name in ("room", "participant", "track", "egress_info")
            if given.HasField(name)
        }
        key = given.room.name or given.egress_info.egress_id or "others"
        faults = self._backend.rooms.faults | LiveKitFaults.from_path(request.match_info["faults"])
        return web.json_response(
            _message_json(self._backend.webhooks.emit(given.event, key=key, faults=faults, **content))
        )

    async def _send_again(self, request: web.Request) -> web.Response:
        """Repeats the n-th webhook of the list, with the same bytes."""
        deliveries = self._backend.webhooks.deliveries
        number = int(request.match_info["number"])
        if not 0 <= number < len(deliveries):
            raise TwirpError("not_found", "unknown webhook")
        repeat = await self._backend.webhooks.send_again(deliveries[number])
        return web.json_response(dataclasses.asdict(repeat))


def _with_errors(handler: Handler) -> Handler:
    async def respond(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except InvalidToken as exc:
            return web.json_response({"error": str(exc)}, status=401)
        except TwirpError as exc:
            return web.json_response({"error": exc.message}, status=STATUS[exc.code])
        except (ValueError, TypeError, json_format.ParseError) as exc:
            return web.json_response({"error": str(exc)}, status=400)

    return respond


def _message_json(message: Message) -> dict[str, Any]:
    return json_format.MessageToDict(message)


async def _json_object(request: web.Request) -> dict[str, Any]:
    body = await request.text()
    given = json.loads(body) if body else {}
    if not isinstance(given, dict):
        raise ValueError("not an object")
    return given

"""The control API under /local/: people join, publish and leave; time passes; webhooks are seen and repeated."""

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

from voiceapp.simulators.livekit.door import PREFIX
from voiceapp.simulators.livekit.faults import Faults
from voiceapp.simulators.livekit.house import House
from voiceapp.simulators.livekit.tokens import TokenRefused
from voiceapp.simulators.livekit.twirp import STATUS, Refusal

Handler = Callable[[web.Request], Awaitable[web.Response]]


class ControlApi:
    def __init__(self, house: House) -> None:
        self._house = house

    def add_to(self, app: web.Application) -> None:
        person = f"{PREFIX}local/rooms/{{room}}/participants/{{identity}}"
        for method, path, handler in (
            ("GET", f"{PREFIX}local/state", self._state),
            ("POST", f"{PREFIX}local/join", self._join),
            ("POST", f"{person}/publish", self._publish),
            ("POST", f"{person}/unpublish", self._unpublish),
            ("POST", f"{person}/leave", self._leave),
            ("POST", f"{PREFIX}local/rooms/{{room}}/dispatches/{{dispatch}}/join", self._agent_joins),
            ("POST", f"{PREFIX}local/egress/{{egress}}", self._set_egress),
            ("POST", f"{PREFIX}local/clock", self._advance),
            ("PUT", f"{PREFIX}local/faults", self._set_faults),
            ("GET", f"{PREFIX}local/webhooks", self._list_webhooks),
            ("PUT", f"{PREFIX}local/webhooks", self._set_webhooks),
            ("POST", f"{PREFIX}local/webhooks", self._emit_webhook),
            ("POST", f"{PREFIX}local/webhooks/{{number}}/send-again", self._send_again),
        ):
            app.router.add_route(method, path, _answering(handler))

    async def _state(self, request: web.Request) -> web.Response:
        rooms = [
            {
                "room": _shown(room.info),
                "participants": [_shown(each) for each in room.participants.values()],
                "dispatches": [_shown(each) for each in room.dispatches.values()],
                "faults": room.faults.words,
            }
            for room in self._house.rooms.open.values()
        ]
        recordings = [_shown(each.info) for each in self._house.recorder.recordings.values()]
        return web.json_response({"rooms": rooms, "recordings": recordings})

    async def _join(self, request: web.Request) -> web.Response:
        """`{"token": …, "publish"?: true}`: with the microphone on, unless told otherwise."""
        given = await _json(request)
        faults = Faults.from_path(request.match_info["faults"])
        room, participant = self._house.join(str(given.get("token") or ""), faults=faults)
        if given.get("publish", True):
            self._house.rooms.publish(room, participant.identity, "microphone")
        return web.json_response(_shown(participant), status=201)

    async def _publish(self, request: web.Request) -> web.Response:
        """`{"source"?: "microphone"}`"""
        source = str((await _json(request)).get("source") or "microphone")
        room = self._house.rooms.get(request.match_info["room"])
        return web.json_response(_shown(self._house.rooms.publish(room, request.match_info["identity"], source)))

    async def _unpublish(self, request: web.Request) -> web.Response:
        """`{"sid": …}`"""
        room = self._house.rooms.get(request.match_info["room"])
        sid = str((await _json(request)).get("sid") or "")
        self._house.rooms.unpublish(room, request.match_info["identity"], sid)
        return web.json_response({})

    async def _leave(self, request: web.Request) -> web.Response:
        """`{"reason"?: "CLIENT_INITIATED"}`"""
        room = self._house.rooms.get(request.match_info["room"])
        as_said = ParticipantInfo(disconnect_reason=str((await _json(request)).get("reason") or "CLIENT_INITIATED"))
        self._house.rooms.leave(room, request.match_info["identity"], as_said.disconnect_reason)
        return web.json_response({})

    async def _agent_joins(self, request: web.Request) -> web.Response:
        room = self._house.rooms.get(request.match_info["room"])
        return web.json_response(_shown(self._house.agents.join(room, request.match_info["dispatch"])), status=201)

    async def _set_egress(self, request: web.Request) -> web.Response:
        """`{"status": "EGRESS_FAILED", "error"?: …, "code"?: 500}`"""
        given = await _json(request)
        status = EgressInfo(status=str(given.get("status"))).status
        self._house.recorder.set_status(
            request.match_info["egress"], status, error=str(given.get("error") or ""), code=int(given.get("code") or 0)
        )
        return web.json_response({})

    async def _advance(self, request: web.Request) -> web.Response:
        """`{"advance_s": 300}`: what would time out by then does."""
        self._house.clock.advance(float((await _json(request)).get("advance_s") or 0))
        return web.json_response({})

    async def _set_faults(self, request: web.Request) -> web.Response:
        """`{"faults": ["agent_never"]}` for the rooms that are made from now on."""
        self._house.rooms.faults = Faults.from_words(map(str, (await _json(request)).get("faults") or []))
        return web.json_response({"faults": self._house.rooms.faults.words})

    async def _list_webhooks(self, request: web.Request) -> web.Response:
        """`?idle=1` answers when all are delivered or given up."""
        if request.query.get("idle"):
            await self._house.webhooks.idle()
        return web.json_response({"webhooks": [dataclasses.asdict(each) for each in self._house.webhooks.deliveries]})

    async def _set_webhooks(self, request: web.Request) -> web.Response:
        """`{"urls": [...]}`"""
        self._house.webhooks.urls = [str(url) for url in (await _json(request)).get("urls") or []]
        return web.json_response({"urls": self._house.webhooks.urls})

    async def _emit_webhook(self, request: web.Request) -> web.Response:
        """Any event, as LiveKit's JSON: `{"event": …, "room": {…}}`; it gets an id, a time and a signature."""
        given = json_format.ParseDict(await _json(request), WebhookEvent())
        about = {
            name: getattr(given, name)
            for name in ("room", "participant", "track", "egress_info")
            if given.HasField(name)
        }
        key = given.room.name or given.egress_info.egress_id or "others"
        faults = self._house.rooms.faults | Faults.from_path(request.match_info["faults"])
        return web.json_response(_shown(self._house.webhooks.emit(given.event, key=key, faults=faults, **about)))

    async def _send_again(self, request: web.Request) -> web.Response:
        """The n-th webhook of the list, the same bytes."""
        deliveries = self._house.webhooks.deliveries
        number = int(request.match_info["number"])
        if not 0 <= number < len(deliveries):
            raise Refusal("not_found", "there is no such webhook")
        repeat = await self._house.webhooks.send_again(deliveries[number])
        return web.json_response(dataclasses.asdict(repeat))


def _answering(handler: Handler) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except TokenRefused as exc:
            return web.json_response({"error": str(exc)}, status=401)
        except Refusal as exc:
            return web.json_response({"error": exc.message}, status=STATUS[exc.code])
        except (ValueError, TypeError, json_format.ParseError) as exc:
            return web.json_response({"error": str(exc)}, status=400)

    return answer


def _shown(message: Message) -> dict[str, Any]:
    return json_format.MessageToDict(message)


async def _json(request: web.Request) -> dict[str, Any]:
    body = await request.text()
    given = json.loads(body) if body else {}
    if not isinstance(given, dict):
        raise ValueError("not an object")
    return given

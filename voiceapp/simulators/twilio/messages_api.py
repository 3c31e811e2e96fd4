"""Messages in Twilio's REST API: create one, show one, list them."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from voiceapp.simulators.twilio.account import Account
from voiceapp.simulators.twilio.message import Receives
from voiceapp.simulators.twilio.messages import MessageRefused, Outgoing
from voiceapp.simulators.twilio.rest_error import Guard, RestError, faults_of, form_of, not_found

UNDER_WAY = ("accepted", "queued", "sending")


class MessagesApi:
    def __init__(self, account: Account) -> None:
        self._account = account

    def add_to(self, app: web.Application, prefix: str, guarded: Guard) -> None:
        for method, path, handler in (
            ("POST", "/Messages.json", self._create),
            ("GET", "/Messages.json", self._list),
            ("GET", "/Messages/{sid}.json", self._show),
            ("DELETE", "/Messages/{sid}.json", self._delete),
        ):
            app.router.add_route(method, prefix + path, guarded(handler))

    async def _create(self, request: web.Request) -> web.Response:
        form = await form_of(request)
        callback = form.get("StatusCallback", "")
        if callback and urlsplit(callback).scheme not in ("http", "https"):
            raise RestError(400, 21609, f"StatusCallback is not a valid URL: {callback}")
        faults = faults_of(request)
        outgoing = Outgoing(
            to_number=form.get("To", ""),
            from_number=form.get("From", ""),
            body=form.get("Body", ""),
            status_callback=callback,
            messaging_service_sid=form.get("MessagingServiceSid", ""),
        )
        try:
            behavior = Receives(faults.argument("texts")) if "texts" in faults else None
            message = self._account.messages.create(outgoing, faults=faults, behavior=behavior)
        except MessageRefused as exc:
            raise RestError(400, exc.code, exc.message) from exc
        except ValueError as exc:
            raise RestError(400, 20001, str(exc)) from exc
        return web.json_response(message.resource(self._account.sid), status=201)

    async def _list(self, request: web.Request) -> web.Response:
        """By `To` and `From`; all on one page."""
        to_number, from_number = request.query.get("To", ""), request.query.get("From", "")
        found = self._account.messages.listed(to_number=to_number, from_number=from_number)
        listed = [each.resource(self._account.sid) for each in found]
        return web.json_response({"messages": listed, "page": 0, "page_size": len(listed), "next_page_uri": None})

    async def _show(self, request: web.Request) -> web.Response:
        message = self._account.messages.find(request.match_info["sid"])
        if message is None:
            raise not_found(request)
        return web.json_response(message.resource(self._account.sid))

    async def _delete(self, request: web.Request) -> web.Response:
        message = self._account.messages.find(request.match_info["sid"])
        if message is None:
            raise not_found(request)
        if message.status in UNDER_WAY:
            raise RestError(409, 20009, "Cannot delete this resource before it is complete")
        self._account.messages.delete(message.sid)
        return web.Response(status=204)

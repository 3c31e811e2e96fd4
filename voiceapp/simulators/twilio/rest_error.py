"""Errors of Twilio's REST API: their codes, and the response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from voiceapp.simulators.twilio.faults import TwilioFaults

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: Authenticates before the handler, and turns RestErrors into responses.
Guard = Callable[[Handler], Handler]


class RestError(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    @property
    def response(self) -> web.Response:
        more = f"https://www.twilio.com/docs/errors/{self.code}"
        body = {"code": self.code, "message": self.message, "more_info": more, "status": self.status}
        headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if self.status == 401 else {}
        return web.json_response(body, status=self.status, headers=headers)


def not_found(request: web.Request) -> RestError:
    return RestError(404, 20404, f"The requested resource {request.path} was not found")


def faults_of(request: web.Request) -> TwilioFaults:
    """Those of the URL. Raises RestError."""
    try:
        return TwilioFaults.from_path(request.match_info["faults"])
    except ValueError as exc:
        raise RestError(400, 20001, str(exc)) from exc


async def form_of(request: web.Request) -> Mapping[str, str]:
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}

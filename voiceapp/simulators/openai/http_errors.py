"""HTTP errors with OpenAI's body and messages."""

from __future__ import annotations

from aiohttp import web

BETA = ("beta_api_shape_disabled", "The Realtime beta API is no longer supported. Please use the GA API.")
_ERRORS = {
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: ("invalid_request_error", "unsupported_country_region_territory", "Access is not allowed."),
    429: ("insufficient_quota", "rate_limit_exceeded", "Rate limit reached."),
    503: ("server_error", "server_overloaded", "The server is overloaded."),
}


def error_with_status(status: int) -> web.Response:
    """The usual error of OpenAI with this status."""
    kind, code, message = _ERRORS.get(status, ("server_error", "server_error", "The server had an error."))
    return error_response(status, code, message, kind=kind)


def error_response(
    status: int, code: str, message: str, *, kind: str = "invalid_request_error", param: str | None = None
) -> web.Response:
    headers = {"Retry-After": "1"} if status in (429, 503) else None
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return web.json_response(body, status=status, headers=headers)

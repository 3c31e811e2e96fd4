"""Errors with VAPI's body: `{statusCode, message, error}`; the message is a text, or a list of what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

_MESSAGES = {
    401: "Invalid Key. Hot tip, you may be using the public key instead of the private key, or vice versa.",
    402: "Your wallet has no credits left. Please add credits to continue.",
    429: "Over Concurrency Limit. Please try again later.",
}
# Cloudflare answers, not VAPI: it is no JSON.
NO_USER_AGENT = "error code: 1010"


class VapiError(Exception):
    """A request that VAPI rejects."""

    def __init__(self, status: int, message: str | Sequence[str]) -> None:
        super().__init__(str(message))
        self.status, self.message = status, message

    def response(self) -> web.Response:
        phrase = HTTPStatus(self.status).phrase
        message = self.message if isinstance(self.message, str) else list(self.message)
        return web.json_response(
            {"statusCode": self.status, "message": message, "error": phrase}, status=self.status,
            headers={"Retry-After": "1"} if self.status in (429, 503) else None,
        )  # fmt: skip


def refusal(status: int) -> VapiError:
    """The usual error with this status."""
    return VapiError(status, _MESSAGES.get(status) or f"{HTTPStatus(status).phrase}.")


def not_found(noun: str, identifier: str) -> VapiError:
    return VapiError(404, f"{noun} with id {identifier} not found.")

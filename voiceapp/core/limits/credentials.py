"""Wrong API keys, tokens and internal keys: counted by address, on every method and route that accepts one."""

from __future__ import annotations

from django.http import HttpRequest

from voiceapp.core.http.client_address import address_of, network_of

from .counting import CountersUnavailable, count
from .limit import WRONG_CREDENTIALS
from .usage import too_many_requests


def count_wrong_credential(request: HttpRequest) -> None:
    """Raises ApiError (429) if this address has sent too many. A valid credential is never refused because of them."""
    try:
        usage = count(WRONG_CREDENTIALS, address_key(request))
    except CountersUnavailable:
        return  # the request is refused anyway
    if usage.is_exceeded:
        raise too_many_requests(usage)


def address_key(request: HttpRequest) -> str:
    """The client for a limit if the request is not authenticated."""
    return f"address:{network_of(address_of(request))}"

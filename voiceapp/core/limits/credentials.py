"""Wrong API keys, tokens and internal keys: counted by address, on every method and route that takes one."""

from __future__ import annotations

from django.http import HttpRequest

from voiceapp.core.http.client_address import address_of, network_of

from .counting import CannotCount, count
from .limit import WRONG_CREDENTIALS
from .usage import too_many_requests


def count_wrong_credential(request: HttpRequest) -> None:
    """Raises ApiError (429) when this address has sent too many. A right credential is never refused for them."""
    try:
        usage = count(WRONG_CREDENTIALS, address_key(request))
    except CannotCount:
        return  # it is refused anyway
    if usage.is_exceeded:
        raise too_many_requests(usage)


def address_key(request: HttpRequest) -> str:
    """Whom a limit counts where nobody is known."""
    return f"address:{network_of(address_of(request))}"

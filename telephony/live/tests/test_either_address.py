"""`/twilio` and `/ws/twilio` are one entry point: the same signature and the same one-time token guard both."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from websockets.exceptions import InvalidStatus

from .conftest import end_of
from .handset import Handset

pytestmark = pytest.mark.asyncio


async def ring(handset: Handset, path: str) -> None:
    await handset.ring()
    handset.stream_url = handset.base_url.replace("http", "ws") + path


@pytest.mark.parametrize("path", ["/twilio", "/ws/twilio"])
async def test_a_socket_without_twilios_signature_is_refused(handset: Handset, path: str) -> None:
    await ring(handset, path)
    for signature in ("", "A" * 27 + "="):
        with pytest.raises(InvalidStatus):
            await handset.open(signature=signature)


async def test_a_signature_over_the_other_address_is_refused(handset: Handset) -> None:
    await ring(handset, "/ws/twilio")
    over_the_other = handset._signature(handset.stream_url, {})
    handset.stream_url = handset.base_url.replace("http", "ws") + "/twilio"
    with pytest.raises(InvalidStatus):
        await handset.open(signature=over_the_other)


@pytest.mark.parametrize("paths", [("/twilio", "/ws/twilio"), ("/ws/twilio", "/twilio")])
async def test_a_token_is_used_once_at_either_address(
    new_handset: Callable[[], Handset], paths: tuple[str, str]
) -> None:
    first, second = new_handset(), new_handset()
    await ring(first, paths[0])
    await first.open()
    await first.start()
    assert await first.hears_something(within_s=5)
    second.call_sid, second.parameters = first.call_sid, first.parameters
    second.stream_url = first.base_url.replace("http", "ws") + paths[1]
    await second.open()
    await second.send_start()
    assert await second.close_comes(within_s=5) == 1008
    await first.hang_up()
    assert await end_of(first) == ("completed", "caller_hung_up")


async def test_an_address_below_it_is_nobodys(handset: Handset) -> None:
    await ring(handset, "/twilio/")
    with pytest.raises(InvalidStatus):
        await handset.open()

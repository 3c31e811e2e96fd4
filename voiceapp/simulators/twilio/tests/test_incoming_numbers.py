"""The account's numbers: bought, listed in pages, pointed at an application, with Twilio's errors."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from voiceapp.simulators.twilio import Number, TwilioSimulator
from voiceapp.simulators.twilio.tests.fake_application import FakeApplication

from .test_rest import ALICE, LINE, client_of

pytestmark = pytest.mark.asyncio


async def test_a_bought_number_is_listed_and_calls_follow_its_voice_url(
    server: TwilioSimulator, application: FakeApplication
) -> None:
    client = client_of(server)
    bought = await asyncio.to_thread(lambda: client.incoming_phone_numbers.create(phone_number=LINE))
    assert (bought.phone_number, bought.voice_url, bought.voice_method) == (LINE, "", "POST")
    assert bought.sid.startswith("PN")
    assert not server.carrier.account.owns(LINE), "it points nowhere"
    await asyncio.to_thread(
        lambda: client.incoming_phone_numbers(bought.sid).update(
            voice_url=application.voice_url, voice_method="GET", friendly_name="Main"
        )
    )
    shown = await asyncio.to_thread(client.incoming_phone_numbers(bought.sid).fetch)
    assert (shown.voice_url, shown.voice_method, shown.friendly_name) == (application.voice_url, "GET", "Main")
    call = await server.carrier.place_call(from_number=ALICE, to_number=LINE)
    await call.done()
    assert application.requests[0].path == "/voice"


async def test_a_number_configured_by_the_control_api_is_the_accounts_too(server: TwilioSimulator) -> None:
    server.carrier.numbers[LINE] = Number(voice_url="http://127.0.0.1/voice")
    server.carrier.numbers[ALICE] = Number(says="I am a person.")
    found = await asyncio.to_thread(lambda: client_of(server).incoming_phone_numbers.list())
    assert [each.phone_number for each in found] == [LINE]


async def test_the_list_has_pages_and_a_filter(server: TwilioSimulator) -> None:
    client = client_of(server)
    numbers = [f"+1555000{index:04}" for index in range(7)]
    for number in numbers:
        await asyncio.to_thread(lambda number=number: client.incoming_phone_numbers.create(phone_number=number))  # type: ignore[misc]
    found = await asyncio.to_thread(lambda: client.incoming_phone_numbers.list(page_size=3))
    assert [each.phone_number for each in found] == numbers
    (one,) = await asyncio.to_thread(lambda: client.incoming_phone_numbers.list(phone_number=numbers[3]))
    assert one.phone_number == numbers[3]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"voice_url": "voice"}, 21402),
        ({"sms_url": "ftp://example.com/x"}, 21402),
        ({"status_callback": "https://"}, 21402),
        ({"voice_method": "PUT"}, 21403),
        ({"voice_fallback_url": "https://example.com/x"}, 21405),
        ({"sms_fallback_url": "https://example.com/x"}, 21406),
        ({"trunk_sid": "PN1"}, 20001),
    ],
)
async def test_an_invalid_change_is_refused_and_nothing_is_changed(
    server: TwilioSimulator, changes: dict[str, Any], code: int
) -> None:
    client = client_of(server)
    bought = await asyncio.to_thread(lambda: client.incoming_phone_numbers.create(phone_number=LINE))
    number = client.incoming_phone_numbers(bought.sid)
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(lambda: number.update(friendly_name="Changed", **changes))
    assert (caught.value.status, caught.value.code) == (400, code)
    assert (await asyncio.to_thread(number.fetch)).friendly_name == LINE


async def test_a_trunk_and_an_application_exclude_each_other(server: TwilioSimulator) -> None:
    client, trunk, application = client_of(server), "TK" + "1" * 32, "AP" + "1" * 32
    bought = await asyncio.to_thread(lambda: client.incoming_phone_numbers.create(phone_number=LINE))
    number = client.incoming_phone_numbers(bought.sid)
    shown = await asyncio.to_thread(lambda: number.update(voice_application_sid=application))
    assert (shown.voice_application_sid, shown.trunk_sid) == (application, None)
    shown = await asyncio.to_thread(lambda: number.update(trunk_sid=trunk))
    assert (shown.voice_application_sid, shown.trunk_sid) == (None, trunk)


async def test_a_number_that_is_taken_or_malformed_cannot_be_bought(server: TwilioSimulator) -> None:
    client = client_of(server)
    await asyncio.to_thread(lambda: client.incoming_phone_numbers.create(phone_number=LINE))
    for number, code in ((LINE, 21422), ("030 5550199", 21421)):
        with pytest.raises(TwilioRestException) as caught:
            await asyncio.to_thread(lambda number=number: client.incoming_phone_numbers.create(phone_number=number))  # type: ignore[misc]
        assert caught.value.code == code
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(client.incoming_phone_numbers("PN" + "0" * 32).fetch)
    assert caught.value.code == 20404

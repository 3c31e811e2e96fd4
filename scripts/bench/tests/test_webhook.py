"""The ring of the load is signed as Twilio signs, and its TwiML is read as Twilio reads it."""

import asyncio

import httpx
import pytest
from twilio.request_validator import RequestValidator
from webhook import OneRequest, StreamAddress, Webhook, WebhookRefused

TWIML = """<?xml version="1.0" encoding="UTF-8"?><Response><Connect action="http://127.0.0.1:1/twiml/after">
<Stream url="ws://127.0.0.1:1/ws/twilio"><Parameter name="token" value="a&amp;b" /><Parameter name="orgId" value="7" />
</Stream></Connect></Response>"""
WEBHOOK = Webhook("https://phones.example/twiml/start?orgId=7", "+15550000001", "AC1", "secret")


def ring(answer: httpx.Response) -> tuple[StreamAddress, httpx.Request]:
    sent: list[httpx.Request] = []

    async def dial() -> StreamAddress:
        transport = httpx.MockTransport(lambda request: (sent.append(request), answer)[1])
        async with httpx.AsyncClient(transport=transport) as client:
            return await WEBHOOK.ring(client, "CA1", caller="+15550000002")

    return asyncio.run(dial()), sent[0]


def test_the_ring_carries_twilios_signature_of_its_form() -> None:
    _, request = ring(httpx.Response(200, text=TWIML))
    form = dict(httpx.QueryParams(request.content.decode()))
    assert form["From"] == "+15550000002"
    assert RequestValidator("secret").validate(str(request.url), form, request.headers["X-Twilio-Signature"])


def test_the_stream_is_the_one_of_the_twiml_and_its_handshake_is_signed() -> None:
    address, _ = ring(httpx.Response(200, text=TWIML))
    assert address.url == "ws://127.0.0.1:1/ws/twilio"
    assert address.parameters == {"token": "a&b", "orgId": "7"}
    assert RequestValidator("secret").validate(address.url, {}, address.headers["X-Twilio-Signature"])


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(403, text="no"), httpx.Response(200, text="<Response><Say>We are closed.</Say></Response>")],
    ids=["refused", "answered without a stream"],
)
def test_a_ring_that_leads_to_no_stream_stops_the_bench(answer: httpx.Response) -> None:
    with pytest.raises(WebhookRefused):
        ring(answer)


async def serve_once(answer: bytes) -> tuple[httpx.Response, bytes]:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"a=b"))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/twiml?x=1"
    async with httpx.AsyncClient(transport=OneRequest()) as client:
        response = await client.post(url, content="a=b", headers={"X-Twilio-Signature": "s"})
    server.close()
    return response, heard[0]


def test_a_ring_has_a_connection_of_its_own() -> None:
    response, heard = asyncio.run(serve_once(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"))
    assert (response.status_code, response.text) == (403, "no")
    assert heard.startswith(b"POST /twiml?x=1 HTTP/1.1\r\n")
    assert b"x-twilio-signature: s\r\n" in heard.lower()
    assert heard.lower().count(b"connection: close") == 1
    assert b"keep-alive" not in heard.lower()


def test_a_server_that_says_nothing_is_an_error() -> None:
    with pytest.raises(httpx.ReadError):
        asyncio.run(serve_once(b""))

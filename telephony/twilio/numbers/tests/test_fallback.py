"""While this server is down, Twilio takes the TwiML of another one, which rings a person."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO

import pytest
from django.core.management import call_command
from pytest_django import Settings

from agents.transfers.models import TransferTarget
from telephony.twilio.models import PhoneNumber
from telephony.twilio.tests.conftest import NUMBER

from .conftest import Account

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.embedded]
PERSON = "+493012345600"


class Bin(BaseHTTPRequestHandler):
    """Another server's TwiML."""

    asked: list[str]

    def do_POST(self) -> None:
        type(self).asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.end_headers()
        self.wfile.write(b"<Response><Say>We are connecting you.</Say><Hangup/></Response>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def twiml_bin() -> Iterator[str]:
    Bin.asked = []
    server = HTTPServer(("127.0.0.1", 0), Bin)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_caller_is_answered_while_this_server_is_down(
    account: Account, line: PhoneNumber, twiml_bin: str, settings: Settings
) -> None:
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:9"
    settings.TWILIO_FALLBACK_URL = f"{twiml_bin}/twiml?Number={{number}}"
    sid = account.buy(NUMBER)
    call_command("sync_phone_numbers", stdout=StringIO())
    assert account.number(sid)["voice_fallback_url"] in (None, "")  # nobody to ring
    TransferTarget.objects.create(
        organization=line.organization, slug="desk", name="Desk", number=PERSON, is_fallback=True
    )
    call_command("sync_phone_numbers", stdout=StringIO())
    assert account.number(sid)["voice_fallback_url"] == f"{twiml_bin}/twiml?Number=%2B493012345600"
    given = json.dumps({"from": "+4917612345678", "to": NUMBER}).encode()
    with urllib.request.urlopen(f"{account.twilio.url}/local/calls", given, timeout=10) as response:
        call = json.load(response)["sid"]
    with urllib.request.urlopen(f"{account.twilio.url}/local/calls/{call}?wait_s=20", timeout=30) as response:
        report = json.load(response)
    assert Bin.asked == ["/twiml?Number=%2B493012345600"], report
    assert report["status"] == "completed"

"""Two lines of ours and the numbers of a simulated Twilio account."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from pytest_django import Settings

from telephony.twilio.tests.conftest import ACCOUNT_SID, TOKEN, line, own_account, serving_process, strangers_line
from voiceapp.simulators.twilio.tests.running import RunningTwilio, running_twilio

__all__ = ["line", "own_account", "serving_process", "strangers_line"]


@dataclass(frozen=True, slots=True)
class Account:
    """The account's owner, who buys numbers and sets them up by hand."""

    twilio: RunningTwilio

    def buy(self, number: str, **settings: str) -> str:
        """Its SID."""
        return str(self._send("IncomingPhoneNumbers.json", {"PhoneNumber": number, **settings})["sid"])

    def set(self, sid: str, **settings: str) -> None:
        self._send(f"IncomingPhoneNumbers/{sid}.json", settings)

    def number(self, sid: str) -> dict[str, Any]:
        return self._send(f"IncomingPhoneNumbers/{sid}.json")

    def _send(self, path: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
        passwords.add_password(None, self.twilio.url, ACCOUNT_SID, TOKEN, is_authenticated=True)
        opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
        url = f"{self.twilio.url}/2010-04-01/Accounts/{ACCOUNT_SID}/{path}"
        with opener.open(url, urlencode(form).encode() if form is not None else None, timeout=10) as response:
            read: dict[str, Any] = json.load(response)
            return read


@pytest.fixture
def account(settings: Settings, own_account: None) -> Iterator[Account]:
    """A new one for each test."""
    with running_twilio(account_sid=ACCOUNT_SID, auth_token=TOKEN) as running:
        settings.TWILIO_BASE_URL = running.url
        yield Account(running)

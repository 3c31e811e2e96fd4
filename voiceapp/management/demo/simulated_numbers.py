"""Our numbers in the simulated Twilio account, pointed here: what a customer does at Twilio."""

from __future__ import annotations

from telephony.twilio.models import CarrierState
from telephony.twilio.numbers.comparison import wanted_settings
from telephony.twilio.numbers.services import check_numbers
from voiceapp.providers.twilio.numbers import TwilioNumbers


def buy_simulated_numbers() -> None:
    """Those that the account does not have yet. Raises ProviderError."""
    carrier = TwilioNumbers.from_settings()
    for each in check_numbers().of(CarrierState.MISSING):
        carrier.buy(each.number.number, wanted_settings(each.number))
    check_numbers()

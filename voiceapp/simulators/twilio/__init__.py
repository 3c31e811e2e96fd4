"""Twilio on this machine: the REST API of live calls, and phones that ring, speak, listen and hang up.

In a test: `async with Server(account_sid=…, auth_token=…) as server: call = await server.carrier.place_call(…);
report = await call.done()`.
"""

from voiceapp.simulators.twilio.call import LocalCall
from voiceapp.simulators.twilio.carrier import Carrier
from voiceapp.simulators.twilio.numbers import Answers, Number
from voiceapp.simulators.twilio.person import Manners
from voiceapp.simulators.twilio.report import Report
from voiceapp.simulators.twilio.server import Server

__all__ = ["Answers", "Carrier", "LocalCall", "Manners", "Number", "Report", "Server"]

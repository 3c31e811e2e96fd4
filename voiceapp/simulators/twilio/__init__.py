"""The simulator of Twilio: the REST API of live calls, and phones that ring, speak, listen and hang up.

In a test: `async with TwilioSimulator(account_sid=…, auth_token=…) as simulator:
call = await simulator.carrier.place_call(…); report = await call.done()`.
"""

from voiceapp.simulators.twilio.call import SimulatedCall
from voiceapp.simulators.twilio.numbers import Answers, Behavior, Number
from voiceapp.simulators.twilio.server import TwilioSimulator

__all__ = ["Answers", "Behavior", "Number", "SimulatedCall", "TwilioSimulator"]

"""The documented form of what we send to Twilio. Sources: docs/provider-fields.md.

Phone numbers: voiceapp/lib/phone_numbers.py.
"""

from __future__ import annotations

import re

CALL_SID = re.compile(r"CA[0-9a-f]{32}")
# Of the `Twiml` parameter of a call's update.
MAX_TWIML_LENGTH = 4000
# <Dial>: ringing time, and duration of the dialed call.
RING_S = (1, 600)
DIAL_DURATION_S = (1, 4 * 60 * 60)
# <Record maxLength>
RECORDING_S = (1, 4 * 60 * 60)
# Name and value of a <Parameter> together.
MAX_PARAMETER_LENGTH = 500

"""The documented form of what Twilio is sent. Sources: docs/provider-fields.md.

Numbers have theirs in voiceapp/lib/phone_numbers.py.
"""

from __future__ import annotations

import re

CALL_SID = re.compile(r"CA[0-9a-f]{32}")
# Of the `Twiml` parameter of a call's update.
MOST_TWIML = 4000
# <Dial>: how long a phone rings, and how long two people may talk.
RINGS_S = (1, 600)
TALKS_S = (1, 4 * 60 * 60)
# <Record maxLength>
RECORDS_S = (1, 4 * 60 * 60)
# The name and the value of a <Parameter>, together.
MOST_PARAMETER = 500

"""Where Django looks for the admin pages of this app."""

import telephony.caller_requests.admin
import telephony.events.admin
import telephony.scenarios.admin
import telephony.twilio.admin
import telephony.twilio.transfers.admin
import telephony.twilio.voicemail.admin
import telephony.vapi.admin  # noqa: F401 - all of these register themselves

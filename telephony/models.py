"""Where Django looks for the models of this app; code imports them from their own folders."""

import telephony.caller_requests.models
import telephony.events.models
import telephony.replays.models
import telephony.scenarios.models
import telephony.twilio.models
import telephony.twilio.transfers.models
import telephony.twilio.voicemail.models
import telephony.vapi.models  # noqa: F401 - all of these register themselves

"""How Twilio executes the verbs of TwiML."""

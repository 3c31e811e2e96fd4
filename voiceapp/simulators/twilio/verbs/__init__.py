"""The verbs of TwiML, as the phone carries them out."""

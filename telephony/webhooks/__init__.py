"""The doors at which the carrier knocks."""

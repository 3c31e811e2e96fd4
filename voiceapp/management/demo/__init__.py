"""The demo organisation: what a newcomer rings first."""

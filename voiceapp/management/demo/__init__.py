"""The demo organization: what a newcomer rings first."""

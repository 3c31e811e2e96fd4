"""The demo organizations: what a newcomer rings first."""

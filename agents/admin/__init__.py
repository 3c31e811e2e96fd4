"""The admin pages of organisations, people, agents and menus."""

from . import agent, api_key, menu, organization, people, realtime_endpoint, spoken_word, transfer_target

__all__ = ["agent", "api_key", "menu", "organization", "people", "realtime_endpoint", "spoken_word", "transfer_target"]

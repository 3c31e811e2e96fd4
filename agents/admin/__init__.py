"""The admin pages of organisations, people, agents and menus."""

from . import agent, menu, organization, people, transfer_target

__all__ = ["agent", "menu", "organization", "people", "transfer_target"]

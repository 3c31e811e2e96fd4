"""The app of organizations: their agents, catalog and hours, and who has access."""

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    name = "agents"
    verbose_name = "Agents and menus"

"""The app of who answers, what they sell, and who may ask."""

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    name = "agents"
    verbose_name = "Agents and menus"

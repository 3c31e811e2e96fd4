"""The app of who answers, what they sell, and who may ask."""

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    name = "agents"
    verbose_name = "Agents and menus"

    def ready(self) -> None:
        # Importing it registers the credentials with the schema's generator.
        from .organizations import schema  # noqa: F401

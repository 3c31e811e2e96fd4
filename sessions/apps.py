"""The app of the conversation and what came of it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SessionsConfig(AppConfig):
    name = "sessions"
    # Django's own app is labeled "sessions" already.
    label = "voice_sessions"
    verbose_name = _("Calls and orders")

    def ready(self) -> None:
        from sessions import handlers
        from sessions.realtime import checks  # noqa: F401 - they register themselves

        handlers.register_all()

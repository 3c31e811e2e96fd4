"""The app of the conversation and what came of it."""

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "sessions"
    # Django's own app is labelled "sessions" already.
    label = "voice_sessions"
    verbose_name = "Calls and orders"

    def ready(self) -> None:
        from sessions import checks, handlers  # noqa: F401
        from sessions.services.limit_counts import count_in_database
        from voiceapp.api.limits.counting import count_in_database_by

        handlers.register_all()
        count_in_database_by(count_in_database)

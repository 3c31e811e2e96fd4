"""The app of what was kept of calls."""

from django.apps import AppConfig


class RecordingsConfig(AppConfig):
    name = "recordings"
    verbose_name = "Recordings"

    def ready(self) -> None:
        from recordings import handlers
        from recordings.services.access import link_for
        from sessions.calls import recording_links

        handlers.register_all()
        recording_links.register(link_for)

"""The app of what was kept of calls."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecordingsConfig(AppConfig):
    name = "recordings"
    verbose_name = _("Recordings")

    def ready(self) -> None:
        from recordings import handlers
        from recordings.services.access import link_for
        from recordings.services.declining import decline_recording
        from sessions.calls import declined_recordings, recording_links

        handlers.register_all()
        recording_links.register(link_for)
        declined_recordings.register(decline_recording)

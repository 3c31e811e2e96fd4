"""The feeds' own app, for the one table that carries announcements where there is no Redis."""

from django.apps import AppConfig


class FeedsConfig(AppConfig):
    name = "voiceapp.core.feeds"
    label = "feeds"
    verbose_name = "Feeds"

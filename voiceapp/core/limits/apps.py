"""The rate limits' own app, for the one table in which requests are counted while the cache is unreachable."""

from django.apps import AppConfig


class LimitsConfig(AppConfig):
    name = "voiceapp.core.limits"
    label = "limits"
    verbose_name = "Rate limits"

"""Starts what the whole process needs: logs, Celery, system checks."""

import gc

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class VoiceappConfig(AppConfig):
    name = "voiceapp"
    default = True

    def ready(self) -> None:
        # Importing them here, not in voiceapp/__init__, keeps voiceapp.simulators free of the product.
        from voiceapp import celery, checks  # noqa: F401 - they register themselves

        from .core import logs
        from .core.translations.catalogs import compile_stale_catalogs
        from .core.translations.implied_names import translate_implied_names

        logs.configure()
        compile_stale_catalogs()
        translate_implied_names()
        # Collections during the imports would cost a third of a start, and find nothing.
        gc.freeze()
        gc.enable()


class ConsoleConfig(AdminConfig):
    default = False
    default_site = "voiceapp.console.site.ConsoleSite"

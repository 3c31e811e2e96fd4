"""Names that Django makes of identifiers: `created_at` is “created at”. Catalogs translate them like all others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.translation import gettext_lazy

# What models.CharField(…) of ours says explicitly stands in gettext_lazy there.
OURS = ("agents", "feeds", "limits", "recordings", "telephony", "voice_sessions", "voiceapp")


def our_models() -> Iterator[type[models.Model]]:
    for model in apps.get_models():
        if model._meta.app_label in OURS:
            yield model


def translate_implied_names() -> None:
    """Called once, when all models are loaded. Migrations keep what the models say, not this."""
    for model in our_models():
        meta = model._meta
        meta.verbose_name = lazily(meta.verbose_name)
        meta.verbose_name_plural = lazily(meta.verbose_name_plural)
        for field in meta.get_fields():
            if isinstance(field, models.Field):
                field.verbose_name = lazily(field.verbose_name)


def implied_names() -> set[str]:
    """All of them, for the catalogs."""
    named = {
        str(name) for model in our_models() for name in (model._meta.verbose_name, model._meta.verbose_name_plural)
    }
    fields = {
        str(field.verbose_name)
        for model in our_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.Field)
    }
    return named | fields


def lazily(name: Any) -> Any:
    return gettext_lazy(name) if isinstance(name, str) else name

"""Names that Django makes of identifiers: `created_at` is “created at”, `READY = "ready"` is “Ready”.

Catalogs translate them like all others. What models say explicitly stands in gettext_lazy there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

OURS = ("agents", "sessions", "recordings", "telephony", "voiceapp")


def translate_implied_names() -> None:
    """Called once, when all models are loaded. Migrations keep what the models say, not this."""
    for model in our_models():
        meta = model._meta
        meta.verbose_name = lazily(meta.verbose_name)
        if "verbose_name_plural" not in meta.original_attrs:
            meta.verbose_name_plural = gettext_lazy(str(meta.verbose_name_plural))
        for field in own_fields(model):
            field.verbose_name = lazily(field.verbose_name)
    for choices in our_choices():
        for member in choices:
            member._label_ = lazily(member.label)
    known = translated_labels()
    for model in our_models():
        for field in own_fields(model):
            if isinstance(field.choices, list):
                field.choices = [(value, lazily(label) if label in known else label) for value, label in field.choices]


def implied_names() -> set[str]:
    """For the catalogs: of what a page of the admin shows, and of all choices."""
    found: set[str] = set()
    for model in admin.site._registry:
        if is_ours(model):
            found |= {str(model._meta.verbose_name), str(model._meta.verbose_name_plural)}
            found |= {str(field.verbose_name) for field in own_fields(model)}
    return found | translated_labels()


def translated_labels() -> set[str]:
    return {str(label) for choices in our_choices() for label in choices.labels}


def is_ours(owner: type) -> bool:
    return owner.__module__.partition(".")[0] in OURS


def our_models() -> Iterator[type[models.Model]]:
    return (model for model in apps.get_models() if is_ours(model))


def own_fields(model: type[models.Model]) -> Iterator[models.Field[Any, Any]]:
    return (field for field in model._meta.get_fields() if isinstance(field, models.Field))


def our_choices() -> Iterator[Any]:
    for kind in (models.TextChoices, models.IntegerChoices):
        yield from (each for each in kind.__subclasses__() if is_ours(each))


def lazily(name: Any) -> Any:
    return name if isinstance(name, Promise) else gettext_lazy(str(name))

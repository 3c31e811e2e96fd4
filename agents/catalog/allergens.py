"""The fourteen allergens that food must be labeled with (Regulation (EU) No 1169/2011, Annex II)."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

# What a row keeps → what is shown and said.
ALLERGENS = {
    "gluten": "gluten",
    "crustaceans": "crustaceans",
    "eggs": "eggs",
    "fish": "fish",
    "peanuts": "peanuts",
    "soy": "soy",
    "milk": "milk",
    "nuts": "nuts",
    "celery": "celery",
    "mustard": "mustard",
    "sesame": "sesame",
    "sulphites": "sulphites",
    "lupin": "lupin",
    "molluscs": "molluscs",
}
# Stated to have none of them. An empty list says nothing: then the agent does not know.
NONE = "none"
CHOICES: tuple[tuple[str, StrOrPromise], ...] = (*ALLERGENS.items(), (NONE, _("none of these")))


def validate_allergens(value: object) -> None:
    """Raises ValidationError for what is no list of known allergens, or says “none” beside one of them."""
    if not isinstance(value, list) or not all(each in ALLERGENS or each == NONE for each in value):
        raise ValidationError(
            gettext("Choose from: %(allergens)s, %(none)s.") % {"allergens": ", ".join(ALLERGENS), "none": NONE}
        )
    if NONE in value and len(value) > 1:
        raise ValidationError(gettext("Choose “none of these” alone, or the allergens that it contains."))


def in_order(allergens: Iterable[str]) -> list[str]:
    """Each once, in the order of the regulation."""
    chosen = set(allergens)
    return [each for each, _ in CHOICES if each in chosen]

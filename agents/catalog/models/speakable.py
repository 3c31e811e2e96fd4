"""Names that are said, and written into the lines of a prompt."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext


def validate_speakable(name: str) -> None:
    """Reject the characters that separate fields in an item's line of the prompt."""
    if any(sign in name for sign in "|*():;/+\n"):
        raise ValidationError(gettext("A name cannot contain | * ( ) : ; / or +."))

"""What is sold: menus, and services that are booked. Live, never versioned."""

from .menu import (
    MOST_WORDS,
    Availability,
    Category,
    Item,
    Menu,
    Modifier,
    ModifierGroup,
    Named,
    Size,
    SpokenWord,
    validate_speakable,
)
from .service import SLOT_MINUTES, Service

__all__ = [
    "MOST_WORDS",
    "SLOT_MINUTES",
    "Availability",
    "Category",
    "Item",
    "Menu",
    "Modifier",
    "ModifierGroup",
    "Named",
    "Service",
    "Size",
    "SpokenWord",
    "validate_speakable",
]

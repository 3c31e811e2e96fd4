"""What is sold: menus, and services that are booked. Live, never versioned."""

from .change import MenuChange
from .daypart import Daypart, DaypartSpan
from .menu import (
    MOST_WORDS,
    Availability,
    Category,
    Item,
    Labeled,
    Menu,
    Modifier,
    ModifierGroup,
    Named,
    Size,
    SpokenWord,
)
from .service import SLOT_MINUTES, Service
from .speakable import validate_speakable

__all__ = [
    "MOST_WORDS",
    "SLOT_MINUTES",
    "Availability",
    "Category",
    "Daypart",
    "DaypartSpan",
    "Item",
    "Labeled",
    "Menu",
    "MenuChange",
    "Modifier",
    "ModifierGroup",
    "Named",
    "Service",
    "Size",
    "SpokenWord",
    "validate_speakable",
]

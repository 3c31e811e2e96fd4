"""A line of an order as one line of text, the same wherever orders are compared."""

from __future__ import annotations

from collections.abc import Iterable

from .models import OrderLine


def line_text(quantity: int, size: str, item: str, modifiers: Iterable[str]) -> str:
    """“3 × large Margherita with extra cheese, thin crust”: with every chosen modifier, sorted by name."""
    chosen = sorted(modifiers)
    return f"{quantity} × {size} {item}".replace("  ", " ") + (f" with {', '.join(chosen)}" if chosen else "")


def text_of_line(line: OrderLine) -> str:
    """Reads the line's modifiers."""
    modifiers = [modifier.name for modifier in line.modifiers.all() for _ in range(modifier.quantity)]
    return line_text(line.quantity, line.size, line.item, modifiers)

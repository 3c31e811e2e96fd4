"""The kitchen's order ticket: an order as text for a narrow printer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_WIDTH = 42


def order_ticket(post: Mapping[str, Any]) -> str:
    """From the body of an order's webhook. Raises KeyError, TypeError or ValueError if it is not an order."""
    order: Mapping[str, Any] = post["data"]
    rule = "=" * _WIDTH
    rows = [rule, _between(f"ORDER {order['number']}", str(order.get("createdAt", ""))[11:16])]
    if order.get("replaces"):
        rows.append(f"*** replaces order {order['replaces']['number']} ***")
    if order.get("customerName") or order.get("customerNumber"):
        rows.append(f"{order.get('customerName') or ''} {order.get('customerNumber') or ''}".strip())
    rows.append("-" * _WIDTH)
    for line in order["lines"]:
        rows += _line(line)
    if order.get("note"):
        rows += ["-" * _WIDTH, f"NOTE: {order['note']}"]
    rows += ["-" * _WIDTH, *_sums(order), rule]
    return "\n".join(rows)


def _line(line: Mapping[str, Any]) -> list[str]:
    size = f" ({line['size']})" if line.get("size") else ""
    rows = [_between(f"{int(line['quantity'])} x {line['item']}{size}", str(line["price"]))]
    rows += _modifiers(line.get("modifiers") or [], under=None, indent="    ")
    if line.get("note"):
        rows.append(f'    "{line["note"]}"')
    return rows


def _modifiers(modifiers: Sequence[Mapping[str, Any]], *, under: str | None, indent: str) -> list[str]:
    """Each modifier; those below it are indented further."""
    rows = []
    for modifier in modifiers:
        if modifier.get("under") != under:
            continue
        times = f"{modifier['quantity']} x " if int(modifier.get("quantity", 1)) > 1 else ""
        rows.append(f"{indent}+ {times}{modifier['name']}")
        if modifier["name"] != under:
            rows += _modifiers(modifiers, under=str(modifier["name"]), indent=indent + "    ")
    return rows


def _sums(order: Mapping[str, Any]) -> list[str]:
    # If the prices include the tax, the sum of the lines is the total (docs/reference/webhooks.md).
    tax = "Tax included" if order.get("subtotal") == order["total"] else "Tax"
    labels = {"subtotal": "Subtotal", "tax": tax}
    rows = [_between(label, str(order[name])) for name, label in labels.items() if order.get(name)]
    return [*rows, _between("TOTAL", f"{order['total']} {order.get('currency', '')}".strip())]


def _between(left: str, right: str) -> str:
    return f"{left} {right.rjust(_WIDTH - len(left) - 1)}"

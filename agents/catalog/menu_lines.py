"""Writes menu, services and transfer targets for a model, one line each. Simulated models read the same lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache

from .offers import Catalog, GroupOffer, ItemOffer, ModifierOffer, ServiceOffer, Services, say_duration

# The signs that separate fields; `validate_speakable` keeps them out of names, but rows can be older than it.
SEPARATORS = str.maketrans(dict.fromkeys("|*():;/+,\r\n\t\0", " "))


def menu_block(catalog: Catalog) -> str:
    """The block “## Menu”: a heading per category, a line per item, then one per choice with allergens.

    docs/reference/menu-lines.md
    """
    tax = ", tax included" if catalog.is_tax_included else ""
    lines = [f"## Menu (prices in {catalog.currency}{tax})"]
    for category, items in catalog.categories().items():
        lines.append(f"# {speakable(category)}")
        lines.extend(item_line(item) for item in items)
    lines.extend(_choice_lines(catalog))
    return "\n".join(lines)


def services_block(services: Services) -> str:
    """The block “## Services”: a line per service; empty where there is none."""
    if not services.offers:
        return ""
    tax = ", tax included" if services.is_tax_included else ""
    return "\n".join([f"## Services (prices in {services.currency}{tax})", *map(service_line, services.offers)])


def service_line(service: ServiceOffer) -> str:
    """SERVICE name | said: … | takes: 45 minutes | price: … | about: …."""
    fields = [f"SERVICE {speakable(service.name)}"]
    if service.spoken_forms:
        fields.append("said: " + ", ".join(map(speakable, service.spoken_forms)))
    fields.append(f"takes: {say_duration(service.duration_minutes)}")
    if service.is_priced:
        fields.append(f"price: {service.price:.2f}")
    if service.description:
        fields.append(f"about: {speakable(service.description)}")
    return " | ".join(fields)


def people_block(targets: Iterable[tuple[str, str, str]]) -> str:
    """The block “## People” of (slug, name, when to use)."""
    lines = ["## People"]
    for slug, name, when in targets:
        lines.append(f"TARGET {slug}: {speakable(name)}" + (f", for {_one_line(when)}" if when else ""))
    return "\n".join(lines)


def item_line(item: ItemOffer) -> str:
    """ITEM name | said: … | price: … | sizes: … | group …: … | allergens: … | served: … | out | again: …."""
    fields = [f"ITEM {speakable(item.name)}"]
    if item.spoken_forms:
        fields.append("said: " + ", ".join(map(speakable, item.spoken_forms)))
    if item.plain_price is not None:
        fields.append(f"price: {item.plain_price:.2f}")
    if item.sizes:
        sizes = (f"{speakable(size.name)}{'*' if size.is_default else ''} {size.price:.2f}" for size in item.sizes)
        fields.append("sizes: " + ", ".join(sizes))
    fields.extend(_group_fields(item.groups, ""))
    if item.allergens:
        fields.append(say_allergens(item.allergens))
    if item.served:
        fields.append(f"served: {item.served}")
    if not item.is_available:
        fields.append("out")
    if item.back_at:
        fields.append(f"again: {item.back_at}")
    return " | ".join(fields)


def say_allergens(allergens: tuple[str, ...]) -> str:
    """“allergens: gluten, milk”, “allergens: none”."""
    return f"allergens: {', '.join(allergens)}"


def _choice_lines(catalog: Catalog) -> Iterator[str]:
    """CHOICE group/modifier | allergens: …, once for each modifier whose allergens are stated."""
    lines: dict[str, None] = {}
    for item in catalog.items:
        for group in item.all_groups():
            for modifier in group.modifiers:
                if modifier.allergens:
                    name = f"{speakable(group.name)}/{speakable(modifier.name)}"
                    lines[f"CHOICE {name} | {say_allergens(modifier.allergens)}"] = None
    yield from lines


def keywords(catalog: Catalog) -> tuple[str, ...]:
    """Every name and spoken form, for the transcription to expect."""
    words: dict[str, None] = {}
    for item in catalog.items:
        offers = [item, *item.sizes, *(modifier for group in item.all_groups() for modifier in group.modifiers)]
        for offer in offers:
            words.update(dict.fromkeys(map(speakable, (offer.name, *offer.spoken_forms))))
    return tuple(words)


def service_keywords(services: Services) -> tuple[str, ...]:
    """Every name and spoken form of the services, for the transcription to expect."""
    forms = [form for service in services.offers for form in (service.name, *service.spoken_forms)]
    return tuple(dict.fromkeys(map(speakable, forms)))


@lru_cache(maxsize=4096)
def speakable(name: str) -> str:
    """A name without the signs that separate fields."""
    return _one_line(name.translate(SEPARATORS))


def _group_fields(groups: tuple[GroupOffer, ...], parent: str) -> Iterator[str]:
    for group in groups:
        name = speakable(group.name)
        choices = ", ".join(map(_modifier, group.modifiers))
        yield f"group {name}{parent and f' of {parent}'} ({_choose(group)}): {choices}"
        for modifier in group.modifiers:
            yield from _group_fields(modifier.groups, f"{name}/{speakable(modifier.name)}")


def _choose(group: GroupOffer) -> str:
    if group.minimum == group.maximum:
        return f"choose {group.minimum}"
    return f"choose {group.minimum} to {group.maximum}"


def _modifier(modifier: ModifierOffer) -> str:
    name = speakable(modifier.name)
    said = f" (said: {'; '.join(map(speakable, modifier.spoken_forms))})" if modifier.spoken_forms else ""
    # A name that ends in a figure would read as a price if none followed.
    price = f" +{modifier.price:.2f}" if modifier.price > Decimal(0) or name[-1:].isdigit() else ""
    return f"{name}{said}{'*' if modifier.is_default else ''}{price}"


def _one_line(text: str) -> str:
    return " ".join(text.split())

"""The menu and the services in the instructions: one documented line for each; all other lines are prose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Choice:
    """A size or a modifier: its name, other spoken forms, its price as written, whether it is a default."""

    name: str
    aliases: tuple[str, ...] = ()
    price: str = ""
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """`minimum` to `maximum` modifiers are chosen; `under` is the modifier that the group belongs to, if any."""

    name: str
    minimum: int
    maximum: int
    modifiers: tuple[Choice, ...]
    under: str | None = None


@dataclass(frozen=True, slots=True)
class MenuItem:
    name: str
    category: str
    aliases: tuple[str, ...] = ()
    price: str = ""
    sizes: tuple[Choice, ...] = ()
    groups: tuple[Group, ...] = ()
    is_out: bool = False

    def group_of(self, modifier: str) -> Group | None:
        for group in self.groups:
            if any(each.name.lower() == modifier.lower() for each in group.modifiers):
                return group
        return None

    def modifier(self, name: str) -> Choice | None:
        for group in self.groups:
            for each in group.modifiers:
                if each.name.lower() == name.lower():
                    return each
        return None


@dataclass(frozen=True, slots=True)
class Service:
    """What is booked."""

    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PromptMenu:
    """`targets`: (id, description) of the transfer targets, in order."""

    items: tuple[MenuItem, ...] = ()
    services: tuple[Service, ...] = ()
    targets: tuple[tuple[str, str], ...] = ()
    currency: str = ""

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.category for item in self.items if item.category))

    def item(self, name: str) -> MenuItem | None:
        return next((item for item in self.items if item.name.lower() == name.lower()), None)


_CURRENCY = re.compile(r"^## Menu \(prices in (\w+)(?:, tax included)?\)")
_TARGET = re.compile(r"^TARGET\s+([^:\s]+)\s*:\s*(.*)$")
_GROUP = re.compile(
    r"^group\s+(?P<title>.+?)\s*\(choose\s+(?P<low>\d+)(?:\s+to\s+(?P<high>\d+))?\)\s*:\s*(?P<rest>.*)$"
)
_CHOICE = re.compile(
    r"^(?P<name>[^(+*]+?)\s*(?:\(said:\s*(?P<said>[^)]*)\))?\s*(?P<default>\*)?\s*(?P<price>[+-]?[\d.]+)?$"
)
_SIZE = re.compile(r"^(?P<name>.+?)(?P<default>\*)?\s+(?P<price>[\d.]+)$")


@lru_cache(maxsize=64)
def read_menu(instructions: str) -> PromptMenu:
    """Lines of another form are ignored, as a model would ignore them."""
    items: list[MenuItem] = []
    services: list[Service] = []
    targets: list[tuple[str, str]] = []
    category = currency = ""
    for line in instructions.splitlines():
        line = line.strip()
        if found := _CURRENCY.match(line):
            currency = found[1]
        elif line.startswith("## "):
            category = ""
        elif line.startswith("# "):
            category = line[2:].strip()
        elif line.startswith("ITEM "):
            items.append(_item(line[5:], category))
        elif line.startswith("SERVICE "):
            services.append(_service(line[8:]))
        elif found := _TARGET.match(line):
            targets.append((found[1], found[2].strip()))
    return PromptMenu(tuple(items), tuple(services), tuple(targets), currency)


def _item(line: str, category: str) -> MenuItem:
    name, *fields = [each.strip() for each in line.split(" | ")]
    aliases: tuple[str, ...] = ()
    price, is_out = "", False
    sizes: list[Choice] = []
    groups: list[Group] = []
    for each in fields:
        label, _, rest = each.partition(":")
        if each == "out":
            is_out = True
        elif label == "said":
            aliases = _list(rest, ",")
        elif label == "price":
            price = rest.strip()
        elif label == "sizes":
            sizes = [size for text in rest.split(",") if (size := _size(text.strip()))]
        elif found := _GROUP.match(each):
            groups.append(_group(found, groups))
    return MenuItem(name, category, aliases, price, tuple(sizes), tuple(groups), is_out)


def _service(line: str) -> Service:
    name, *fields = [each.strip() for each in line.split(" | ")]
    said = next((each.partition(":")[2] for each in fields if each.startswith("said:")), "")
    return Service(name, _list(said, ","))


def _size(text: str) -> Choice | None:
    found = _SIZE.match(text)
    return Choice(found["name"].strip(), price=found["price"], is_default=bool(found["default"])) if found else None


def _group(found: re.Match[str], before: list[Group]) -> Group:
    low, high = int(found["low"]), int(found["high"] or found["low"])
    title, under = found["title"], None
    for parent in before:
        head, joint, modifier = title.partition(f" of {parent.name}/")
        if joint:
            title, under = head, modifier.strip()
            break
    parts = re.split(r",(?![^(]*\))", found["rest"])
    modifiers = tuple(choice for part in parts if (choice := _choice(part.strip())))
    return Group(title, low, high, modifiers, under)


def _choice(text: str) -> Choice | None:
    found = _CHOICE.match(text)
    if found is None:
        return None
    return Choice(found["name"].strip(), _list(found["said"] or "", ";"), found["price"] or "", bool(found["default"]))


def _list(text: str, separator: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(separator) if each.strip())

"""The names of the menu in their spoken forms: they fill the lists of the grammar."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from voiceapp.simulators.model.agent.menu import MenuItem, PromptMenu
from voiceapp.simulators.model.spelling import NUMBERS, plural, singular, spoken

INGREDIENTS = (
    "onions", "garlic", "ice", "cheese", "tomatoes", "pickles", "mayo", "sauce", "lettuce", "olives", "peppers",
    "mushrooms", "salt", "butter", "sugar", "cream", "basil", "ham", "bacon", "nuts", "mustard", "ketchup",
    "cucumber", "anchovies", "dressing",
)  # fmt: skip
QUANTITIES = {"a couple of": 2, "a pair of": 2, "half a dozen": 6, "a dozen": 12}
NUMBER_WORDS = {**NUMBERS, **QUANTITIES}
_VOWELS = tuple("aeiou")
PEOPLE_AND_CARS = Path(__file__).with_name("people_and_cars.txt")


@lru_cache(maxsize=1)
def people_and_cars() -> dict[str, list[str]]:
    """Names that callers say and no menu has: list of the grammar → names as written."""
    lines = [line for line in PEOPLE_AND_CARS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    lists = [line.partition(":") for line in lines if line]
    return {name: [each.strip() for each in names.split(",")] for name, _, names in lists}


@dataclass(slots=True)
class NameLists:
    """`lists`: list of the grammar → spoken form → names in the menu's spelling.

    `counted`: forms that may be spoken in the plural; `spelling`: a word → its spelling on the menu.
    """

    menu: PromptMenu
    lists: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    spelling: dict[str, str] = field(default_factory=dict)

    def add(self, list_name: str, name: str, forms: Iterable[str], *, counted: bool = False) -> None:
        table = self.lists.setdefault(list_name, {})
        for form in forms:
            words = spoken(form)
            if not words:
                continue
            for word in form.split():
                if not word.isascii() and " " not in spoken(word):
                    self.spelling[spoken(word)] = word.lower()
            found = table.setdefault(words, [])
            if name not in found:
                found.append(name)
            if counted:
                self.counted.add(words)

    def names(self, list_name: str, form: str) -> list[str]:
        return self.lists.get(list_name, {}).get(form, [])


@lru_cache(maxsize=32)
def name_lists_of(menu: PromptMenu) -> NameLists:
    names = NameLists(menu)
    for words, number in NUMBER_WORDS.items():
        names.add("NUMBER", str(number), [words])
    for item in menu.items:
        _add_item(names, item)
    for service in menu.services:
        for form in (service.name, *service.aliases):
            names.add("VOWELSERVICE" if spoken(form)[:1] in _VOWELS else "SERVICE", service.name, [form])
    for list_name, known in people_and_cars().items() if menu.services else ():
        for name in known:
            names.add(list_name, name, [name])
    for category in menu.categories:
        names.add("CATEGORY", category, [category, plural(spoken(category))])
        kind = singular(spoken(category))
        if " " not in kind:
            names.add("KIND", category, [kind], counted=True)
    for target, description in menu.targets:
        title = spoken(description.partition(",")[0])
        identifier = spoken(target.replace("-", " ").replace("_", " "))
        names.add("TARGET", target, [identifier, f"the {identifier}", title, f"the {title}"])
    modifiers = names.lists.get("MODIFIER", {})
    for word in INGREDIENTS:
        if word not in modifiers:
            names.add("INGREDIENT", word, [word])
    return names


def _add_item(names: NameLists, item: MenuItem) -> None:
    names.add("ITEM", item.name, (item.name, *item.aliases), counted=True)
    for size in item.sizes:
        names.add("SIZE", size.name, [size.name])
    for group in item.groups:
        names.add("GROUP", group.name, [group.name], counted=True)
        for modifier in group.modifiers:
            names.add("MODIFIER", modifier.name, (modifier.name, *modifier.aliases))

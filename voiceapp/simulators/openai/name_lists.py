"""The menu's own names in all their spoken forms: what fills the lists of the grammar, and what each form may mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from voiceapp.simulators.openai.menu import Menu, MenuItem
from voiceapp.simulators.openai.rules import INGREDIENTS, QUANTITIES
from voiceapp.simulators.openai.wording import NUMBERS, plural, singular, spoken

NUMBER_WORDS = {**NUMBERS, **QUANTITIES}


@dataclass(slots=True)
class NameLists:
    """`lists`: list of the grammar → spoken form → names in the menu's spelling.

    `counted`: forms that may also be heard in the plural; `spelling`: a word → how the menu writes it.
    """

    menu: Menu
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
def name_lists_of(menu: Menu) -> NameLists:
    names = NameLists(menu)
    for words, number in NUMBER_WORDS.items():
        names.add("NUMBER", str(number), [words])
    for item in menu.items:
        _learn_item(names, item)
    for category in menu.categories:
        names.add("CATEGORY", category, [category, plural(spoken(category))])
        kind = singular(spoken(category))
        if " " not in kind:
            names.add("KIND", category, [kind], counted=True)
    for target, description in menu.targets:
        title = spoken(description.partition(",")[0])
        called = spoken(target.replace("-", " ").replace("_", " "))
        names.add("TARGET", target, [called, f"the {called}", title, f"the {title}"])
    modifiers = names.lists.get("MODIFIER", {})
    for word in INGREDIENTS:
        if word not in modifiers:
            names.add("INGREDIENT", word, [word])
    return names


def _learn_item(names: NameLists, item: MenuItem) -> None:
    names.add("ITEM", item.name, (item.name, *item.said), counted=True)
    for size in item.sizes:
        names.add("SIZE", size.name, [size.name])
    for group in item.groups:
        names.add("GROUP", group.name, [group.name], counted=True)
        for modifier in group.modifiers:
            names.add("MODIFIER", modifier.name, (modifier.name, *modifier.said))

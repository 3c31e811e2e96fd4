"""The names of the menu in their spoken forms, and what each form may mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from voiceapp.simulators.model.agent.menu import MenuItem, PromptMenu
from voiceapp.simulators.model.spelling import NUMBERS, plural, singular, spoken

QUANTITIES = {"a couple of": 2, "a dozen": 12}
Names = dict[str, list[str]]


@dataclass(slots=True)
class Lexicon:
    """Each table: spoken form → names in the menu's spelling. `spelling`: a word → its spelling on the menu."""

    menu: PromptMenu
    items: Names = field(default_factory=dict)
    sizes: Names = field(default_factory=dict)
    modifiers: Names = field(default_factory=dict)
    groups: Names = field(default_factory=dict)
    categories: Names = field(default_factory=dict)
    targets: Names = field(default_factory=dict)
    spelling: dict[str, str] = field(default_factory=dict)

    def add(self, table: Names, forms: Iterable[str], name: str) -> None:
        for form in forms:
            names = table.setdefault(form, [])
            if form and name not in names:
                names.append(name)

    def forms(self, written: Iterable[str], *, counted: bool = False) -> list[str]:
        """The spoken forms of names, with their plurals if `counted`."""
        found: dict[str, None] = {}
        for name in written:
            words = spoken(name)
            for word in name.split():
                if not word.isascii() and " " not in spoken(word):
                    self.spelling[spoken(word)] = word.lower()
            found[words] = None
            if counted:
                found[plural(words)] = None
        found.pop("", None)
        return list(found)


NUMBER_WORDS = {**NUMBERS, **QUANTITIES}


@lru_cache(maxsize=32)
def lexicon_of(menu: PromptMenu) -> Lexicon:
    lexicon = Lexicon(menu)
    for item in menu.items:
        _add_item(lexicon, item)
    for category in menu.categories:
        written = (category, singular(spoken(category)))
        lexicon.add(lexicon.categories, lexicon.forms(written, counted=True), category)
    for target, description in menu.targets:
        title = spoken(description.partition(",")[0])
        forms = {spoken(target.replace("-", " ").replace("_", " ")), title, f"the {title}"} - {"", "the "}
        lexicon.add(lexicon.targets, sorted(forms), target)
    return lexicon


def _add_item(lexicon: Lexicon, item: MenuItem) -> None:
    kind = singular(spoken(item.category))
    for form in lexicon.forms((item.name, *item.aliases), counted=True):
        lexicon.add(lexicon.items, [form], item.name)
        if kind and " " not in kind and kind not in form.split() and plural(kind) not in form.split():
            lexicon.add(lexicon.items, [f"{form} {kind}", f"{form} {plural(kind)}"], item.name)
    for size in item.sizes:
        lexicon.add(lexicon.sizes, lexicon.forms((size.name,)), size.name)
    for group in item.groups:
        written = (group.name, singular(spoken(group.name)))
        lexicon.add(lexicon.groups, lexicon.forms(written, counted=True), group.name)
        for modifier in group.modifiers:
            lexicon.add(lexicon.modifiers, lexicon.forms((modifier.name, *modifier.aliases)), modifier.name)

"""The modifiers of one line: from words to choices of its groups, and back to the fewest words.

A group that nobody names gets its defaults. Naming some keeps the defaults beside them if all fit, else the named
ones stand alone. “no X” leaves out a default. Groups under a chosen modifier are settled after it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from agents.catalog.offers import GroupOffer, ItemOffer, ModifierOffer
from agents.catalog.spoken import DEFAULT_TABLE, WordTable

from .choice_wishes import ChoiceWishes, understand_choices
from .lines import Chosen, Refused
from .names import either

MOST_MODIFIERS = 30


def choose(item: ItemOffer, words: Sequence[str], table: WordTable = DEFAULT_TABLE) -> tuple[Chosen, ...]:
    """Settle every group of the item by these words; raises Refused with what to ask instead."""
    if len(words) > MOST_MODIFIERS:
        raise Refused(f"That is too many choices for one {item.name}.")
    wishes = understand_choices(item, words, table)
    chosen: list[Chosen] = []
    full: GroupOffer | None = None
    level: list[tuple[GroupOffer, int | None]] = [(group, None) for group in item.groups]
    while level:
        named, full_here = _assign(wishes, [group for group, _ in level])
        full = full or full_here
        below: list[tuple[GroupOffer, int | None]] = []
        for index, (group, under) in enumerate(level):
            picks = _settle(group, named[index], wishes.left_out)
            chosen.extend(_chosen(group, under, picks))
            below.extend((deeper, pick.id) for pick in picks for deeper in pick.groups)
        level = below
    if wishes.wanted:
        raise Refused(_no_room(item, next(iter(wishes.wanted[0].values())), full))
    return tuple(chosen)


def keep(item: ItemOffer, chosen: Sequence[Chosen]) -> tuple[Chosen, ...]:
    """The same choices at the prices of now; raises Refused when the menu no longer allows them."""
    kept: list[Chosen] = []
    for group, under, picks in _walk(item, chosen):
        for modifier in picks:
            _check_available(modifier, group)
        if not group.minimum <= sum(picks.values()) <= group.maximum:
            raise Refused(f"The choices of the {item.name} have changed. {_ask(group)}")
        kept.extend(_chosen(group, under, picks))
    if sum(pick.quantity for pick in kept) != sum(pick.quantity for pick in chosen):
        still = {pick.modifier_id for pick in kept}
        gone = next(pick.name for pick in chosen if pick.modifier_id not in still)
        raise Refused(f"The {item.name} no longer comes with {gone}.")
    return tuple(kept)


def said(item: ItemOffer, chosen: Sequence[Chosen]) -> tuple[str, ...]:
    """The fewest words that lead to these choices: how they differ from the usual."""
    return tuple(word for group, _, picks in _walk(item, chosen) for word in _fewest_words(group, picks))


def _assign(
    wishes: ChoiceWishes, groups: Sequence[GroupOffer]
) -> tuple[defaultdict[int, list[ModifierOffer]], GroupOffer | None]:
    """Give each wanted word to a group of this level: one that still lacks its minimum first, then one with room."""
    named: defaultdict[int, list[ModifierOffer]] = defaultdict(list)
    waiting: list[dict[int, ModifierOffer]] = []
    full: GroupOffer | None = None
    for wanted in wishes.wanted:
        homes = [
            (index, modifier)
            for index, group in enumerate(groups)
            for modifier in group.modifiers
            if modifier.id in wanted
        ]
        open_homes = [home for home in homes if len(named[home[0]]) < groups[home[0]].maximum]
        lacking = [home for home in open_homes if len(named[home[0]]) < groups[home[0]].minimum]
        if not lacking and len({modifier.price for _, modifier in open_homes}) > 1:
            raise Refused(_which_group([(groups[index], modifier) for index, modifier in open_homes]))
        if open_homes:
            index, modifier = (lacking or open_homes)[0]
            named[index].append(modifier)
        else:
            waiting.append(wanted)
            full = full or (groups[homes[0][0]] if homes else None)
    wishes.wanted = waiting
    return named, full


def _settle(group: GroupOffer, named: Sequence[ModifierOffer], left_out: set[int]) -> Counter[ModifierOffer]:
    for modifier in named:
        _check_available(modifier, group)
    defaults = [modifier for modifier in group.modifiers if modifier.is_default and modifier.is_available]
    picks = _fill(group, named, left_out, defaults)
    if sum(picks.values()) < group.minimum:
        raise Refused(_ask(group))
    return picks


def _fill(
    group: GroupOffer, named: Sequence[ModifierOffer], left_out: set[int], defaults: Sequence[ModifierOffer]
) -> Counter[ModifierOffer]:
    usual = [modifier for modifier in defaults if modifier.id not in left_out and modifier not in named]
    if not named:
        return Counter(usual[: group.maximum])
    return Counter([*named, *usual] if len(named) + len(usual) <= group.maximum else named)


def _chosen(group: GroupOffer, under: int | None, picks: Counter[ModifierOffer]) -> Iterator[Chosen]:
    for modifier in group.modifiers:
        if picks[modifier]:
            yield Chosen(
                group_id=group.id,
                modifier_id=modifier.id,
                under=under,
                group=group.name,
                name=modifier.name,
                price=modifier.price,
                quantity=picks[modifier],
            )


def _walk(item: ItemOffer, chosen: Sequence[Chosen]) -> Iterator[tuple[GroupOffer, int | None, Counter[ModifierOffer]]]:
    """Each group that these choices open, what it hangs under, and what is chosen in it."""
    level: list[tuple[GroupOffer, int | None]] = [(group, None) for group in item.groups]
    while level:
        below: list[tuple[GroupOffer, int | None]] = []
        for group, under in level:
            quantities = {
                pick.modifier_id: pick.quantity for pick in chosen if (pick.group_id, pick.under) == (group.id, under)
            }
            picks = Counter(
                {modifier: quantities[modifier.id] for modifier in group.modifiers if modifier.id in quantities}
            )
            yield group, under, picks
            below.extend((deeper, pick.id) for pick in picks for deeper in pick.groups)
        level = below


def _fewest_words(group: GroupOffer, picks: Counter[ModifierOffer]) -> list[str]:
    defaults = [modifier for modifier in group.modifiers if modifier.is_default]
    if picks == _fill(group, [], set(), defaults):
        return []
    unusual = [pick for pick in picks.elements() if not pick.is_default or picks[pick] > 1]
    # One that was swapped for another needs no word; one that is missing does.
    missing = [] if picks and group.minimum == group.maximum else [usual for usual in defaults if not picks[usual]]
    if picks and group.maximum == 1:
        missing = []
    if picks != _fill(group, unusual, {usual.id for usual in missing}, defaults):
        unusual = list(picks.elements())
    return [pick.name for pick in unusual] + [f"no {usual.name}" for usual in missing]


def _check_available(modifier: ModifierOffer, group: GroupOffer) -> None:
    if not modifier.is_available:
        others = [other.name for other in group.modifiers if other.is_available]
        instead = f" For {group.name} there is {either(others[:4])}." if others else ""
        raise Refused(f"{modifier.name} is out right now.{instead}")


def _ask(group: GroupOffer) -> str:
    names = either([modifier.name for modifier in group.modifiers if modifier.is_available])
    count = f"{group.minimum}" if group.minimum == group.maximum else f"{group.minimum} to {group.maximum}"
    return f"Please choose {count} for {group.name}: {names}." if names else f"{group.name} is out right now."


def _which_group(homes: Sequence[tuple[GroupOffer, ModifierOffer]]) -> str:
    """One name at two prices: with the group's name said, it is clear."""
    return f"Do you mean {either([f'the {modifier.name} under {group.name}' for group, modifier in homes])}?"


def _no_room(item: ItemOffer, modifier: ModifierOffer, full: GroupOffer | None) -> str:
    if full is not None:
        return f"For {full.name} of the {item.name} you can choose at most {full.maximum}."
    parent = next(
        above.name
        for group in item.all_groups()
        for above in group.modifiers
        if any(modifier in deeper.modifiers for deeper in above.groups)
    )
    return f"{modifier.name} comes only with {parent}."

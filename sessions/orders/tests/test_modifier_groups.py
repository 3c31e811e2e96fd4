"""From words to the choices of a line's groups, and back."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.catalog.offers import GroupOffer, ItemOffer
from sessions.orders.draft import Refused
from sessions.orders.draft.choices import choose, keep, said
from sessions.tests.menus import (
    BACON,
    BURGER,
    CHEESE,
    CRUST,
    DEAL,
    DEEP,
    DRESSING,
    EXTRAS,
    FRIES,
    ITEMS,
    LETTUCE,
    MARGHERITA,
    OLIVES,
    PLATE,
    RANCH,
    SALAD,
    SIDE,
    THIN,
    TOMATO,
    TOPPINGS,
)


def names(item: ItemOffer, *words: str) -> list[str]:
    return [pick.name for pick in choose(item, words) for _ in range(pick.quantity)]


def refusal(item: ItemOffer, *words: str) -> str:
    with pytest.raises(Refused) as caught:
        choose(item, words)
    return caught.value.say


def with_group(item: ItemOffer, group: GroupOffer) -> ItemOffer:
    return replace(item, groups=tuple(group if group.id == old.id else old for old in item.groups))


def test_naming_a_choice_replaces_the_usual_one() -> None:
    assert names(MARGHERITA, "deep dish") == ["deep dish"]
    assert names(MARGHERITA, "Olives", "thin crust") == ["thin crust", "olives"]


def test_naming_some_keeps_the_usual_ones_beside_them_if_all_fit() -> None:
    assert names(BURGER) == ["lettuce", "tomato"]
    assert names(BURGER, "bacon") == ["lettuce", "tomato", "bacon"]
    assert names(BURGER, "bacon", "bacon") == ["bacon", "bacon"]


def test_no_leaves_out_a_usual_one() -> None:
    assert names(BURGER, "no tomatoes") == ["lettuce"]
    assert names(BURGER, "without lettuce", "No tomato", "bacon") == ["bacon"]
    assert said(BURGER, choose(BURGER, ["no tomato"])) == ("no tomato",)
    assert names(BURGER, "no bacon") == ["lettuce", "tomato"]
    assert said(BURGER, choose(BURGER, ["no bacon"])) == ()


def test_a_modifier_that_is_called_no_something_is_chosen_by_its_name() -> None:
    plain = replace(BACON, id=54, name="no onions")
    burger = with_group(BURGER, replace(TOPPINGS, modifiers=(LETTUCE, plain)))
    assert names(burger, "no onions") == ["lettuce", "no onions"]


def test_with_and_without_is_asked_about() -> None:
    assert refusal(BURGER, "bacon", "no bacon") == "Should the Burger be with or without bacon?"


def test_the_same_modifier_twice_is_two_of_it_up_to_the_maximum() -> None:
    assert names(MARGHERITA, "extra cheese", "more cheese") == ["thin crust", "extra cheese", "extra cheese"]
    assert refusal(MARGHERITA, *["olives"] * 4) == "For Extras of the Margherita you can choose at most 3."
    assert refusal(MARGHERITA, "thin crust", "deep dish") == "For Crust of the Margherita you can choose at most 1."


def test_a_minimum_is_asked_for() -> None:
    assert refusal(MARGHERITA, "no thin crust") == "Please choose 1 for Crust: thin crust or deep dish."
    assert names(PLATE) == ["rice", "beans"]
    assert names(PLATE, "corn", "rice") == ["rice", "corn"]
    assert refusal(PLATE, "corn") == "Please choose 2 for Sides: rice, beans or corn."
    some = with_group(BURGER, replace(TOPPINGS, minimum=1))
    assert refusal(some, "no lettuce", "no tomato") == ("Please choose 1 to 3 for Toppings: lettuce, tomato or bacon.")


def test_a_group_under_a_modifier_is_settled_only_with_it() -> None:
    assert names(DEAL) == ["fries"]
    assert names(DEAL, "side salad") == ["side salad", "ranch"]
    assert names(DEAL, "vinaigrette", "side salad") == ["side salad", "vinaigrette"]
    assert [pick.under for pick in choose(DEAL, ["side salad"])] == [None, SALAD.id]
    assert refusal(DEAL, "vinaigrette") == "vinaigrette comes only with side salad."
    assert refusal(DEAL, "side salad", "ranch", "ranch") == "For Dressing of the Meal deal you can choose at most 1."


def test_a_name_in_two_groups_goes_where_it_is_lacking_then_where_there_is_room() -> None:
    second = replace(SIDE, id=30, name="Second side", minimum=0, modifiers=(replace(FRIES, is_default=False), SALAD))
    first = replace(SIDE, modifiers=(replace(FRIES, is_default=False), SALAD))
    deal = replace(DEAL, groups=(second, first))
    assert [(pick.group, pick.name) for pick in choose(deal, ["fries"])] == [("Side", "fries")]
    assert [(pick.group, pick.name) for pick in choose(deal, ["fries", "fries"])] == [
        ("Second side", "fries"),
        ("Side", "fries"),
    ]
    assert refusal(deal, "fries", "fries", "fries") == "For Second side of the Meal deal you can choose at most 1."


def test_a_name_in_two_groups_at_two_prices_is_asked_about_unless_its_group_is_said() -> None:
    melted = replace(CHEESE, id=24, name="cheese", price=CHEESE.price)
    inside = replace(melted, id=25, price=melted.price + 1)
    pizza = replace(
        MARGHERITA,
        groups=(
            CRUST,
            replace(EXTRAS, modifiers=(melted,)),
            replace(EXTRAS, id=9, name="Filling", modifiers=(inside,)),
        ),
    )
    assert refusal(pizza, "cheese") == "Do you mean the cheese under Extras or the cheese under Filling?"
    assert [pick.group for pick in choose(pizza, ["cheese from the filling"])] == ["Crust", "Filling"]
    assert [pick.group for pick in choose(pizza, ["filling cheese", "extras cheese"])] == ["Crust", "Extras", "Filling"]


def test_an_unknown_word_is_refused_with_a_hint() -> None:
    assert refusal(MARGHERITA, "pineapple") == (
        "“pineapple” is not a choice for the Margherita. I can add it as a note for the kitchen."
    )
    assert refusal(MARGHERITA, "olive oil") == "“olive oil” is not a choice for the Margherita. Do you mean olives?"
    ambiguous = with_group(MARGHERITA, replace(EXTRAS, modifiers=(CHEESE, replace(CHEESE, id=23, name="blue cheese"))))
    assert refusal(ambiguous, "cheese") == "Which do you mean for the Margherita: extra cheese or blue cheese?"
    assert refusal(MARGHERITA, *["olives"] * 31) == "That is too many choices for one Margherita."


def test_what_is_out_is_refused_with_what_is_there() -> None:
    no_cheese = with_group(MARGHERITA, replace(EXTRAS, modifiers=(replace(CHEESE, is_available=False), OLIVES)))
    assert refusal(no_cheese, "extra cheese") == "extra cheese is out right now. For Extras there is olives."
    nothing = with_group(MARGHERITA, replace(EXTRAS, modifiers=(replace(CHEESE, is_available=False),)))
    assert refusal(nothing, "extra cheese") == "extra cheese is out right now."
    no_crust = with_group(MARGHERITA, replace(CRUST, modifiers=(replace(THIN, is_available=False), DEEP)))
    assert refusal(no_crust) == "Please choose 1 for Crust: deep dish."
    none_left = with_group(MARGHERITA, replace(CRUST, modifiers=(replace(THIN, is_available=False),)))
    assert refusal(none_left) == "Crust is out right now."


def test_a_usual_one_that_is_out_is_left_out_and_said() -> None:
    no_tomato = with_group(BURGER, replace(TOPPINGS, modifiers=(LETTUCE, replace(TOMATO, is_available=False), BACON)))
    assert names(no_tomato) == ["lettuce"]
    assert said(no_tomato, choose(no_tomato, [])) == ("no tomato",)


@pytest.mark.parametrize(
    ("item", "words", "expected"),
    [
        (MARGHERITA, ["thin crust"], ()),
        (MARGHERITA, ["deep dish", "olives"], ("deep dish", "olives")),
        (BURGER, ["bacon"], ("bacon",)),
        (BURGER, ["bacon", "bacon"], ("bacon", "bacon", "no lettuce", "no tomato")),
        (BURGER, ["lettuce", "lettuce"], ("lettuce", "lettuce")),
        (PLATE, ["corn", "rice"], ("rice", "corn")),
        (PLATE, ["rice", "rice"], ("rice", "rice")),
        (DEAL, ["side salad"], ("side salad",)),
        (DEAL, ["side salad", "vinaigrette"], ("side salad", "vinaigrette")),
    ],
)
def test_the_fewest_words_say_how_a_line_differs(item: ItemOffer, words: list[str], expected: tuple[str, ...]) -> None:
    assert said(item, choose(item, words)) == expected


NAMES = sorted({pick.name for item in ITEMS for group in item.all_groups() for pick in group.modifiers})
WORDS = st.lists(st.sampled_from([*NAMES, *(f"no {name}" for name in NAMES)]), max_size=5)


@given(item=st.sampled_from(ITEMS), words=WORDS)
def test_the_words_of_a_line_lead_to_the_same_line(item: ItemOffer, words: list[str]) -> None:
    try:
        chosen = choose(item, words)
    except Refused:
        return
    assert choose(item, said(item, chosen)) == chosen
    assert keep(item, chosen) == chosen


@given(item=st.sampled_from(ITEMS), words=WORDS)
def test_every_choice_keeps_every_groups_bounds(item: ItemOffer, words: list[str]) -> None:
    try:
        chosen = choose(item, words)
    except Refused:
        return
    for group in item.groups:
        assert group.minimum <= sum(pick.quantity for pick in chosen if pick.group_id == group.id) <= group.maximum


@given(item=st.sampled_from(ITEMS), words=st.lists(st.text(max_size=20), max_size=4))
def test_no_words_break_it(item: ItemOffer, words: list[str]) -> None:
    with contextlib.suppress(Refused):
        choose(item, words)


def test_kept_choices_take_the_prices_of_now() -> None:
    chosen = choose(MARGHERITA, ["extra cheese"])
    dearer = with_group(MARGHERITA, replace(EXTRAS, modifiers=(replace(CHEESE, price=CHEESE.price + 1), OLIVES)))
    assert sum(pick.price for pick in keep(dearer, chosen)) == CHEESE.price + 1


def test_choices_that_the_menu_no_longer_allows_are_refused() -> None:
    chosen = choose(MARGHERITA, ["extra cheese"])
    with pytest.raises(Refused, match=r"^The Margherita no longer comes with extra cheese\.$"):
        keep(with_group(MARGHERITA, replace(EXTRAS, modifiers=(OLIVES,))), chosen)
    with pytest.raises(Refused, match=r"^The choices of the Margherita have changed\. Please choose 2 for Extras"):
        keep(with_group(MARGHERITA, replace(EXTRAS, minimum=2, maximum=2)), chosen)
    with pytest.raises(Refused, match=r"^extra cheese is out right now"):
        keep(with_group(MARGHERITA, replace(EXTRAS, modifiers=(replace(CHEESE, is_available=False), OLIVES))), chosen)
    other = replace(SALAD, groups=(replace(DRESSING, modifiers=(replace(RANCH, id=99),)),))
    with pytest.raises(Refused, match="Please choose 1 for Dressing"):
        keep(with_group(DEAL, replace(SIDE, modifiers=(FRIES, other))), choose(DEAL, ["side salad"]))

"""What changes do to a draft, and what they may not. Prices are worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from sessions.orders.draft import Line, Refused, apply_changes, lines_from_json, lines_to_json
from sessions.tests.menus import (
    BURGER,
    CHEESE,
    EXTRAS,
    MARGHERITA,
    MENU,
    PANNA,
    SIZES,
    SOUP,
    TIRAMISU,
    menu_with,
    menu_without,
)

Lines = tuple[Line, ...]


def change(lines: Lines, *changes: object) -> Lines:
    return apply_changes(lines, list(changes), MENU)


def add(item: str, **more: object) -> dict[str, object]:
    return {"do": "add", "item": item, **more}


def update(line: int, **more: object) -> dict[str, object]:
    return {"do": "update", "line": line, **more}


def order(*items: object) -> Lines:
    return change((), *items)


def refusal(*changes: object, lines: Lines = ()) -> str:
    with pytest.raises(Refused) as caught:
        apply_changes(lines, list(changes), MENU)
    return caught.value.say


def test_a_line_is_priced_by_size_and_modifiers() -> None:
    (line,) = order(add("Margherita", size="large", quantity=2, modifiers=["extra cheese", "deep dish"]))
    # (12.00 + 2.00 + 1.50) × 2
    assert (line.unit_price, line.price) == (Decimal("15.50"), Decimal("31.00"))
    assert (line.item, line.size, line.said) == ("Margherita", "large", ("deep dish", "extra cheese"))


def test_what_is_not_said_is_the_usual() -> None:
    (line,) = order(add("Margherita"))
    assert (line.size, line.quantity, line.note, line.said) == ("medium", 1, "", ())
    assert [pick.name for pick in line.chosen] == ["thin crust"]
    assert line.price == Decimal("9.50")


def test_the_same_thing_twice_is_one_line() -> None:
    (line,) = order(add("Margherita", quantity=2), add("plain pizza", modifiers=["thin crust"]))
    assert line.quantity == 3


def test_another_note_makes_another_line() -> None:
    assert [line.number for line in order(add("Funghi"), add("Funghi", note="  well \n done "))] == [1, 2]
    assert order(add("Funghi", note="  well \n done "))[0].note == "well done"


def test_a_line_keeps_its_number_when_others_go() -> None:
    lines = order(add("Margherita"), add("Funghi"), add("Meal deal"))
    left = change(lines, {"do": "remove", "line": 1}, update(3, quantity=4), {"do": "remove", "line": 2})
    assert [(line.number, line.item, line.quantity) for line in left] == [(3, "Meal deal", 4)]
    assert [line.number for line in change(left, add("Funghi"))] == [3, 4]


def test_clearing_empties_the_order() -> None:
    assert change(order(add("Funghi")), {"do": "clear"}) == ()
    assert [line.item for line in change(order(add("Funghi")), {"do": "clear"}, add("Burger"))] == ["Burger"]


def test_all_changes_are_made_or_none() -> None:
    lines = order(add("Funghi"))
    before = lines_to_json(lines)
    assert refusal({"do": "remove", "line": 1}, add("Burger"), add("Spaceship"), lines=lines)
    assert lines_to_json(lines) == before


def test_an_update_replaces_only_what_it_names() -> None:
    lines = order(add("Margherita", size="small", modifiers=["olives"], note="hot"))
    (line,) = change(lines, update(1, quantity=2))
    assert (line.size, line.said, line.note, line.price) == ("small", ("olives",), "hot", Decimal("17.00"))
    (line,) = change(lines, update(1, size="big"))
    assert (line.size, line.said, line.price) == ("large", ("olives",), Decimal("13.00"))
    (line,) = change(lines, update(1, modifiers=["extra cheese"]))
    assert (line.size, line.said, line.price) == ("small", ("extra cheese",), Decimal("9.00"))
    (line,) = change(lines, update(1, modifiers=[], note=""))
    assert (line.said, line.note, line.price) == ((), "", Decimal("7.50"))


def test_another_item_in_a_line_keeps_size_and_choices_where_it_has_them() -> None:
    lines = order(add("Margherita", size="large", modifiers=["deep dish"]))
    (line,) = change(lines, update(1, item="Funghi"))
    assert (line.number, line.item, line.size, line.said, line.price) == (
        1,
        "Funghi",
        "",
        ("deep dish",),
        Decimal("12.50"),
    )
    (line,) = change(lines, update(1, item="margherita"))
    assert (line.size, line.said) == ("large", ("deep dish",))


def test_a_choice_that_the_other_item_lacks_is_asked_about_not_dropped() -> None:
    lines = order(add("Margherita", modifiers=["olives"]))
    assert refusal(update(1, item="Funghi"), lines=lines).startswith("“olives” is not a choice for the Funghi.")
    (line,) = change(lines, update(1, item="Funghi", modifiers=[]))
    assert line.said == ()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("margherita", "Margherita"),
        ("MARGHERITAS", "Margherita"),
        ("a Margarita", "Margherita"),
        ("margherita pizza", "Margherita"),
        ("the plain pizzas", "Margherita"),
        ("tiramisu", "Tiramisù"),
        ("tiramisús, please", "Tiramisù"),
        ("meal deals", "Meal deal"),
        ("meals deal", "Meal deal"),
        ("fungi", "Funghi"),
        ("soup", "Chicken soup"),
    ],
)
def test_a_name_is_understood_as_it_is_said(said: str, meant: str) -> None:
    more = {"size": "cup"} if meant == "Chicken soup" else {}
    assert order(add(said, **more))[0].item == meant


def test_in_doubt_it_asks() -> None:
    assert refusal(add("chicken")) == "Do you mean Chicken plate or Chicken soup?"
    assert refusal(add("Pizza Salami")) == "I cannot find “Pizza Salami” on the menu."
    assert refusal(add("marge")) == "I cannot find “marge” on the menu. Do you mean Margherita?"
    assert refusal(add("gluten free margherita")).startswith("I cannot find “gluten free margherita” on the menu.")
    assert refusal(add("!!!")) == "I cannot find “!!!” on the menu."


def test_a_name_that_stands_twice_is_asked_about_unless_its_heading_is_said() -> None:
    twin = replace(PANNA, is_available=True, category="Lunch", id=80, price=Decimal("3.00"))
    menu = replace(MENU, items=(*MENU.items, twin))
    with pytest.raises(Refused) as caught:
        apply_changes((), [add("Panna cotta")], menu)
    assert caught.value.say == (
        "Do you mean the Panna cotta under Desserts for 4 euros 50 or the Panna cotta under Lunch for 3 euros?"
    )
    assert apply_changes((), [add("the lunch panna cotta")], menu)[0].item_id == 80
    with pytest.raises(Refused, match=r"^The Panna cotta is out right now\."):
        apply_changes((), [add("Panna cotta from the desserts")], menu)


def test_a_name_that_stands_twice_at_one_price_is_a_question_too() -> None:
    twin = replace(PANNA, is_available=True, category="Lunch", id=80)
    with pytest.raises(Refused, match="under Desserts or the Panna cotta under Lunch"):
        apply_changes((), [add("Panna cotta")], replace(MENU, items=(*MENU.items, twin)))


def test_a_name_that_stands_twice_under_one_heading_is_told_apart_by_menu_and_price() -> None:
    lunch, dinner = (replace(TIRAMISU, id=id, menu=menu, price=Decimal(id)) for id, menu in ((81, "Noon"), (82, "Eve")))
    menu = replace(MENU, items=(lunch, dinner))
    with pytest.raises(Refused, match="the Tiramisù of Noon for 81 euros or the Tiramisù of Eve for 82 euros"):
        apply_changes((), [add("Tiramisu")], menu)
    assert apply_changes((), [add("Tiramisu of Eve")], menu)[0].item_id == 82
    alike = replace(MENU, items=(replace(lunch, menu="", is_available=False), replace(lunch, menu="", id=83)))
    assert apply_changes((), [add("Tiramisu")], alike)[0].item_id == 83


def test_an_update_of_a_line_keeps_the_namesake_that_it_is() -> None:
    twin = replace(TIRAMISU, category="Lunch", id=80, price=Decimal("3.00"))
    menu = replace(MENU, items=(*MENU.items, twin))
    lines = apply_changes((), [add("lunch tiramisu")], menu)
    (line,) = apply_changes(lines, [update(1, item="Tiramisu", quantity=2)], menu)
    assert (line.item_id, line.quantity) == (80, 2)


def test_a_size_is_asked_for_when_none_is_usual() -> None:
    assert refusal(add("Chicken soup")) == "Which size of the Chicken soup: cup or bowl?"
    assert refusal(add("Margherita", size="giant")) == (
        "There is no giant Margherita. Which size of the Margherita: small, medium or large?"
    )
    assert refusal(add("Burger", size="large")) == "The Burger comes in one size only."
    assert order(add("Burger", size=""))[0].size == ""


def test_what_is_out_is_refused_with_an_alternative() -> None:
    assert refusal(add("Panna cotta")) == "The Panna cotta is out right now. Would you like the Tiramisù instead?"
    lonely = menu_with(replace(BURGER, is_available=False), replace(PANNA, category="Grill"))
    lonely = replace(lonely, items=tuple(item for item in lonely.items if item.name != "Chicken plate"))
    with pytest.raises(Refused, match=r"^The Burger is out right now\.$"):
        apply_changes((), [add("Burger")], lonely)
    small_only = menu_with(replace(MARGHERITA, sizes=(SIZES[0], replace(SIZES[1], is_available=False))))
    with pytest.raises(Refused, match=r"^The medium Margherita is out right now\. There is small\.$"):
        apply_changes((), [add("Margherita")], small_only)


def test_counts_left_and_limits_hold_for_the_order_as_a_whole() -> None:
    lines = order(add("Tiramisù", quantity=2), add("Tiramisù", note="with a candle"))
    assert refusal(add("Tiramisù"), lines=lines) == "There are only 3 of Tiramisù left."
    assert refusal(add("Burger", quantity=6)) == "I can take at most 5 of the Burger in one order."
    assert refusal(update(1, quantity=10**40), lines=order(add("Burger"))) == (
        "I can take at most 5 of the Burger in one order."
    )
    last = menu_with(replace(TIRAMISU, count_left=1))
    with pytest.raises(Refused, match=r"^There is only one Tiramisù left\.$"):
        apply_changes((), [add("Tiramisù", quantity=2)], last)


def test_counts_of_sizes_and_modifiers_are_kept_too() -> None:
    menu = menu_with(
        replace(
            MARGHERITA,
            sizes=(replace(SIZES[0], count_left=2), *SIZES[1:]),
            groups=(replace(EXTRAS, modifiers=(replace(CHEESE, count_left=3),)),),
        )
    )
    with pytest.raises(Refused, match="only 2 of small left"):
        apply_changes((), [add("Margherita", size="small", quantity=3)], menu)
    with pytest.raises(Refused, match="only 3 of extra cheese left"):
        apply_changes((), [add("Margherita", quantity=2, modifiers=["extra cheese", "extra cheese"])], menu)
    assert apply_changes((), [add("Margherita", quantity=3, modifiers=["extra cheese"])], menu)


def test_a_line_that_is_not_touched_does_not_stand_in_the_way() -> None:
    lines = order(add("Tiramisù", quantity=3), add("Funghi"))
    scarce = menu_with(replace(TIRAMISU, count_left=0, is_available=False))
    assert len(apply_changes(lines, [add("Burger")], scarce)) == 3
    assert len(apply_changes(lines, [{"do": "remove", "line": 1}], menu_without(TIRAMISU))) == 1
    with pytest.raises(Refused, match="no longer on the menu"):
        apply_changes(lines, [update(1, quantity=1)], menu_without(TIRAMISU))
    with pytest.raises(Refused, match="out right now"):
        apply_changes(lines, [update(1, quantity=1)], scarce)
    with pytest.raises(Refused, match=r"^Tiramisù is out right now\.$"):
        apply_changes(lines, [update(1, quantity=1)], menu_with(replace(TIRAMISU, count_left=0)))


def test_an_update_notices_that_sizes_have_changed() -> None:
    lines = order(add("Margherita", size="small"), add("Burger"))
    with pytest.raises(Refused, match=r"^The sizes of the Margherita have changed\. Which one would you like\?$"):
        apply_changes(lines, [update(1, quantity=2)], menu_with(replace(MARGHERITA, sizes=SIZES[1:])))
    with pytest.raises(Refused, match=r"^The sizes of the Burger have changed"):
        apply_changes(lines, [update(2, quantity=2)], menu_with(replace(BURGER, sizes=SOUP.sizes)))
    out = (replace(SIZES[0], is_available=False), *SIZES[1:])
    with pytest.raises(Refused, match=r"^The small Margherita is out right now\. There is medium or large\.$"):
        apply_changes(lines, [update(1, quantity=2)], menu_with(replace(MARGHERITA, sizes=out)))


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (add("Burger", price="0.01"), "I cannot change prices. They come from the menu."),
        (add("Burger", unitPrice=1), "I cannot change prices. They come from the menu."),
        (add("Burger", discount=100), "I cannot change prices. They come from the menu."),
        (add("Burger", color="red"), "I do not know what to do with “color”."),
        ({"do": "remove", "line": 1, "quantity": 1}, "I do not know what to do with “quantity”."),
        (add("Burger", quantity=0), "How many would you like? It must be a whole number of at least one."),
        (add("Burger", quantity=-3), "How many would you like? It must be a whole number of at least one."),
        (add("Burger", quantity=True), "How many would you like? It must be a whole number of at least one."),
        (add("Burger", quantity=1.0), "How many would you like? It must be a whole number of at least one."),
        (add("Burger", quantity="2"), "How many would you like? It must be a whole number of at least one."),
        (add(""), "Which item would you like?"),
        ({"do": "add"}, "Which item would you like?"),
        ({"do": "add", "item": ["Burger"]}, "Which item would you like?"),
        (add("B" * 121), "Which item would you like?"),
        (add("Burger", size=1), "Which size would you like?"),
        (add("Burger", modifiers="bacon"), "Which extras would you like?"),
        (add("Burger", modifiers=[1]), "Which extras would you like?"),
        (add("Burger", modifiers=["bacon"] * 31), "Which extras would you like?"),
        (add("Burger", note="n" * 201), "A note for the kitchen has at most 200 characters."),
        ({"do": "update", "quantity": 1}, "Which line of the order do you mean?"),
        ({"do": "remove"}, "Which line of the order do you mean?"),
        ({"do": "remove", "line": "first"}, "Which line of the order do you mean?"),
        ({"do": "remove", "line": 7}, "There is no line 7 in the order."),
        ({"do": "steal"}, "I can add, update or remove a line, or clear the order. What should I do?"),
        ({"do": ["add"]}, "I can add, update or remove a line, or clear the order. What should I do?"),
        ("Burger", "I can add, update or remove a line, or clear the order. What should I do?"),
        (None, "I can add, update or remove a line, or clear the order. What should I do?"),
    ],
)
def test_a_wrong_change_is_refused_with_a_sentence(wish: object, sentence: str) -> None:
    assert refusal(wish) == sentence


@pytest.mark.parametrize("changes", [None, {}, "add", 1, [], [add("Burger")] * 31])
def test_changes_are_a_short_list(changes: object) -> None:
    with pytest.raises(Refused, match="What should I change"):
        apply_changes((), changes, MENU)


def test_an_order_has_an_end() -> None:
    lines = order(*(add("Funghi", note=f"number {number}") for number in range(30)))
    lines = change(lines, *(add("Funghi", note=f"number {number}") for number in range(30, 40)))
    assert len(lines) == 40
    assert refusal(add("Burger"), lines=lines) == "An order has at most 40 lines."


def test_empty_names_among_modifiers_are_nothing() -> None:
    assert order(add("Burger", modifiers=["", "  ", "bacon"]))[0].said == ("bacon",)


def test_lines_survive_the_row_they_are_kept_in() -> None:
    lines = order(add("Meal deal", modifiers=["side salad", "vinaigrette"]), add("Margherita", note="ü"))
    assert lines_from_json(lines_to_json(lines)) == lines

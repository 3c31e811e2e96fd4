"""What a model may send: refused with a sentence, never an exception, never a trace in an order."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions.calls.models import Call, ToolCall
from sessions.orders.draft.requests import Add, Change, Remove, Update
from sessions.orders.models import DraftOrder, Order
from sessions.tests.builders import Phone, make_restaurant
from sessions.tools.registry import TOOLS
from sessions.tools.services import LONGEST, NOT_UNDERSTOOD, clean, clean_text, run_tool

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Call:
    return make_restaurant()[1]


def use(call: Call, name: str, arguments: str, tool_call_id: str = "call_x") -> dict[str, object]:
    result = run_tool(call.pk, name=name, arguments=arguments, tool_call_id=tool_call_id, caller_turns=1)
    output: dict[str, object] = json.loads(result.output)
    return output


@pytest.mark.parametrize(
    "arguments",
    [
        "{",
        "[]",
        "null",
        "1",
        '"text"',
        '{"changes": NaN}',
        "[" * 10_000,
        '{"a":' * 3000 + "1" + "}" * 3000,
        "x" * (LONGEST + 1),
        '{"changes": ' + "9" * 5000 + "}",
        "\ud800",
    ],
)
def test_what_is_no_object_is_not_understood(arguments: str, call: Call) -> None:
    assert use(call, "change_order", arguments) == {"ok": False, "say": NOT_UNDERSTOOD}
    assert ToolCall.objects.get().outcome == "refused"


def test_no_arguments_are_an_empty_object(call: Call) -> None:
    assert use(call, "get_opening_hours", "")["ok"]


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_an_unknown_argument_is_refused(name: str, call: Call) -> None:
    answer = use(call, name, '{"price": 1}')
    assert answer == {"ok": False, "say": "I do not know what to do with “price”."}


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("look_up_items", {"query": 7}, "What are you looking for?"),
        ("look_up_items", {"query": "q" * 201}, "What are you looking for?"),
        ("transfer_call", {"target": ["+4930"]}, "Whom would you like to speak to?"),
        ("transfer_call", {"target": "+4930123456"}, "There is nobody here whom I can connect you to."),
        ("transfer_call", {}, "There is nobody here whom I can connect you to."),
        ("submit_order", {"customer_name": {}}, "What is your name?"),
    ],
)
def test_a_wrong_value_is_refused(name: str, arguments: dict[str, object], sentence: str, call: Call) -> None:
    assert use(call, name, json.dumps(arguments)) == {"ok": False, "say": sentence}


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_a_wrong_value_of_every_argument_is_refused_with_a_sentence(name: str, call: Call) -> None:
    for field in TOOLS[name].arguments.__struct_fields__:
        answer = use(call, name, json.dumps({field: {}}), tool_call_id=field)
        assert not answer["ok"]
        assert str(answer["say"]).endswith(("?", "."))


@pytest.mark.parametrize("kind", [Add, Update, Remove])
def test_a_wrong_value_in_every_field_of_a_change_is_refused_with_a_sentence(kind: type[Change], call: Call) -> None:
    for field in kind.__struct_fields__:
        change: dict[str, object] = {"do": kind.__struct_config__.tag, "item": "Tiramisu", "line": 1} | {field: {}}
        known = {name: value for name, value in change.items() if name in ("do", *kind.__struct_fields__)}
        answer = use(call, "change_order", json.dumps({"changes": [known]}), tool_call_id=f"{kind} {field}")
        assert not answer["ok"]
        assert str(answer["say"]).endswith(("?", "."))


def test_signs_that_no_database_holds_are_replaced(call: Call) -> None:
    arguments = '{"changes": [{"do": "add", "item": "Tiramisu", "note": "a\\u0000b\\ud800c\\nd"}]}'
    assert use(call, "change_order", arguments, tool_call_id="call\0\ud800" + "x" * 200)["ok"]
    assert DraftOrder.objects.get().lines[0]["note"] == "a b?c d"
    stored = ToolCall.objects.get()
    assert (len(stored.tool_call_id), stored.arguments["changes"][0]["note"]) == (80, "a b?c d")


def test_cleaning_reaches_keys_and_depths() -> None:
    assert clean({"a\0": [1, None, True, "\x1b[31m", {"b": "ok"}]}) == {"a ": [1, None, True, " [31m", {"b": "ok"}]}
    assert clean_text("Größe 大") == "Größe 大"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["add", "Tiramisu"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["do", "item", "line", "quantity", "modifiers", "size", "note", "changes"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(TOOLS)) | st.text(max_size=10),
    arguments=st.dictionaries(st.just("changes"), JSON) | JSON,
)
def test_nothing_a_model_sends_raises_or_orders(name: str, arguments: object, call: Call) -> None:
    answer = use(call, name, json.dumps(arguments), tool_call_id=f"call_{name}_{hash(str(arguments))}")
    assert isinstance(answer["say"], str)
    assert not Order.objects.exists()


def test_two_hundred_greedy_tool_calls_order_nothing(call: Call) -> None:
    phone = Phone(call.pk)
    for number in range(50):
        phone.add("Tiramisu", quantity=number % 3, price="0.01")
        phone.add("Tiramisu", quantity=1)
        phone.use("submit_order", confirmed=True)
        phone.use("submit_order")
    assert not Order.objects.exists()
    lines = DraftOrder.objects.get().lines
    assert {line["base_price"] for line in lines} == {"5.00"}

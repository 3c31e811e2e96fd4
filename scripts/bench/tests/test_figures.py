"""What the bench says of its rounds: medians, the worst of what must not happen, and when nothing may be concluded."""

import json

import processes
import pytest
import steady_figures
from figures import Figure, Table, table, verdict
from frames import Faults
from load import Sight
from steady_figures import Rounds


def sight(cpu: float = 4.0, **others: object) -> Sight:
    return Sight(**{"cpu_ms_per_call_second": cpu, "marks_per_call_second": 10.0, "core_use": 0.3} | others)


def judged(ours: list[Sight], reference: list[Sight]) -> dict[str, Figure]:
    return {figure.name: figure for figure in steady_figures.judge(Rounds(ours, reference))}


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "cores", lambda: (0, 1))


def test_a_figure_is_one_line_of_json_with_its_ratio() -> None:
    line = json.loads(Figure("bridge.cpu_ms_per_call_second", 4.5, 2.25).as_line())
    assert line == {"name": "bridge.cpu_ms_per_call_second", "ours": 4.5, "reference": 2.25, "ratio": 2.0}


def test_a_figure_without_reference_has_no_ratio() -> None:
    assert Figure("bridge.frames_lost", 0, 0).ratio is None
    assert Figure("load.core_use", 0.3).ratio is None


def test_a_void_figure_says_so_to_machines_and_to_people() -> None:
    figure = Figure("load.core_use", 0.9, 0.5, void="too busy")
    assert json.loads(figure.as_line())["void"] is True
    assert "VOID: too busy" in table([figure])


def test_compared_figures_are_medians() -> None:
    figures = judged([sight(4), sight(40), sight(5)], [sight(2), sight(2.5), sight(1)])
    assert figures["bridge.cpu_ms_per_call_second"].ours == 5
    assert figures["bridge.cpu_ms_per_call_second"].reference == 2


def test_one_lost_frame_in_one_round_is_wrong() -> None:
    lost = judged([sight(), sight(faults=Faults(lost=1)), sight()], [sight()])["bridge.frames_lost"]
    assert (lost.ours, lost.wrong) == (1, True)


def test_a_connection_left_open_is_wrong() -> None:
    assert judged([sight(provider_connections_left=1)], [sight()])["bridge.provider_connections_left"].wrong


def test_slowness_is_neither_void_nor_wrong() -> None:
    figures = judged([sight(4000, added_delay_p99_ms=900.0, memory_kb_per_call=5000.0)], [sight(2)])
    assert not any(figure.void or figure.wrong for figure in figures.values())


@pytest.mark.parametrize(
    ("ours", "reference"),
    [
        pytest.param(sight(core_use=0.81), sight(), id="the load was too busy beside ours"),
        pytest.param(sight(), sight(core_use=0.81), id="the load was too busy beside the reference"),
        pytest.param(sight(marks_per_call_second=9.0), sight(), id="the reference had more marks to carry"),
        pytest.param(sight(marks_per_call_second=11.0), sight(), id="the reference had fewer marks to carry"),
    ],
)
def test_an_unfair_round_voids_the_speed(ours: Sight, reference: Sight) -> None:
    assert judged([ours], [reference])["bridge.cpu_ms_per_call_second"].void


def test_one_core_for_both_voids_the_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "cores", lambda: (0, 0))
    assert judged([sight()], [sight()])["bridge.cpu_ms_per_call_second"].void


@pytest.mark.parametrize(
    ("figure", "holds"),
    [
        (Figure("cpu", 3, 2, bar="at most 1.5 times"), True),
        (Figure("cpu", 3.1, 2, bar="at most 1.5 times"), False),
        (Figure("calls", 400, 200, bar="at least 2 times"), True),
        (Figure("calls", 399, 200, bar="at least 2 times"), False),
        (Figure("memory", 80, 40, bar="under 80"), False),
        (Figure("p99", 4.9, bar="under 5 on a quiet machine"), True),
        (Figure("late", 0, 3, bar="0"), True),
        (Figure("late", 1, bar="0"), False),
        (Figure("marks", 10, 10, bar="as many as the reference"), None),
        (Figure("cpu", 3, bar="at most 1.5 times"), None),
    ],
)
def test_a_figure_says_whether_it_is_within_its_bound(figure: Figure, holds: bool | None) -> None:
    assert figure.holds is holds
    assert json.loads(figure.as_line()).get("holds") is holds
    assert {True: "holds", False: "MISSED", None: ""}[holds] in table([figure])


def test_the_last_words_name_the_bounds_that_were_missed() -> None:
    kept, missed = Figure("memory", 70, bar="under 80"), Figure("calls", 300, 200, bar="at least 2 times")
    void = Figure("cpu", 9, 2, bar="at most 1.5 times", void="too busy")
    last = verdict([Table("Kept", [kept, Figure("rung", 5)]), Table("Not kept", [missed, void])])
    assert last.startswith("1 of 2 figures")
    assert "Not kept\n" in last
    assert "Kept\n" not in last.replace("Not kept", "")
    assert "calls " in last
    assert "cpu" not in last

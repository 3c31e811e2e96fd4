"""The layers of the project (pyproject.toml) name every module, and nothing gets around them."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("voiceapp", "agents", "sessions", "recordings", "telephony")


def product_files() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).parts
            if not {"tests", "migrations"} & set(parts) and path.name != "conftest.py":
                yield path


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def layers() -> list[str]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    names = [layer for contract in contracts if contract["type"] == "layers" for layer in contract["layers"]]
    return [name.strip() for layer in names for name in re.split("[:|]", layer)]


def test_every_module_is_in_a_layer() -> None:
    named = layers()
    above = {name.rsplit(".", depth)[0] for name in named for depth in range(1, name.count(".") + 1)}
    missing = [
        module
        for module in map(module_of, product_files())
        if module not in above and not any(f"{module}.".startswith(f"{layer}.") for layer in named)
    ]
    assert missing == []


def test_no_function_imports_a_module_of_ours() -> None:
    """Only an app's `ready()` does: Django's models are there by then."""
    hidden = [
        f"{path.relative_to(ROOT)}:{inner.lineno}"
        for path in product_files()
        if path.name != "apps.py"
        for outer in ast.walk(ast.parse(path.read_text()))
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(outer)
        if isinstance(inner, ast.ImportFrom) and (inner.level or (inner.module or "").partition(".")[0] in PACKAGES)
    ]
    assert hidden == []


def test_no_modules_import_each_other_in_a_circle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    ours = {module_of(path) for path in product_files()}
    imported = {module: graph.find_modules_directly_imported_by(module) & ours for module in ours}
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as exc:
        pytest.fail(" -> ".join(reversed(exc.args[1])))

"""The house as a test: imports point downward, towers do not meet, and monopolies hold (design, section 3)."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import realitycheck

ROOT = Path(realitycheck.__file__).parent

FLOORS = {
    "cli": 6,
    "__main__": 6,
    "display": 6,
    "stock": 6,
    "verbs": 5,
    "testing": 5,
    "training": 4,
    "search": 4,
    "executors": 4,
    "report": 4,
    "catalog": 3,
    "loss_review": 3,
    "review": 3,
    "plan": 3,
    "ledger": 3,
    "jobs": 2,
    "runs": 2,
    "protocol": 2,
    "losses": 1,
    "metrics": 1,
    "datasets": 1,
    "trunks": 1,
    "statistics": 1,
    "canonical": 0,
    "https": 0,
    "errors": 0,
}
"""`errors` lies under the ground floor: every room of floor 1 may raise."""

APART = {4, 1}
"""Floors whose rooms never import one another."""


def modules() -> dict[str, ast.Module]:
    paths = sorted(ROOT.rglob("*.py"))
    return {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): ast.parse(path.read_text())
        for path in paths
    }


MODULES = modules()


def imports(tree: ast.Module) -> set[str]:
    """Absolute names of all that a module imports, also inside functions."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            if node.module == "realitycheck":
                found |= {f"realitycheck.{alias.name}" for alias in node.names}
    return found


def room(module: str) -> str:
    return module.split(".")[0]


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"__init__"}))
def test_imports_point_downward(module):
    here = room(module)
    for name in imports(MODULES[module]):
        if not name.startswith("realitycheck."):
            continue
        there = name.split(".")[1]
        if there == here:
            continue
        assert FLOORS[there] <= FLOORS[here], f"{module} imports {name}, which lies above it"
        if FLOORS[there] == FLOORS[here]:
            assert FLOORS[here] not in APART, f"{module} imports {name}: rooms of this floor never meet"


def test_no_circle():
    edges = {
        module: {
            name.removeprefix("realitycheck.")
            for name in imports(tree)
            if name.removeprefix("realitycheck.") in MODULES
        }
        for module, tree in MODULES.items()
    }
    while edges:
        leaves = {module for module, targets in edges.items() if not targets & set(edges)}
        assert leaves, f"these modules import each other in a circle: {sorted(edges)}"
        edges = {module: targets for module, targets in edges.items() if module not in leaves}


MONOPOLIES = {
    "optuna": {"search.propose"},
    "scipy": {"statistics.*", "datasets.matlab"},
    "faiss": {"metrics.*"},
    "rich": {"cli", "display", "stock"},
    "typer": {"cli", "stock"},
    "jinja2": {"report.*"},
    "matplotlib": {"report.*"},
    "torch": {
        *("training.*", "losses.*", "metrics.*", "trunks.*"),
        *("catalog", "loss_review", "review", "executors.preload", "testing.losses"),
    },
}


@pytest.mark.parametrize("package", sorted(MONOPOLIES))
def test_monopolies(package):
    allowed = MONOPOLIES[package]
    for module, tree in MODULES.items():
        if any(name.split(".")[0] == package for name in imports(tree)):
            assert module in allowed or f"{room(module)}.*" in allowed, f"{module} imports {package}"


def test_only_the_command_line_prints():
    for module, tree in MODULES.items():
        calls = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        scripts = {"datasets.pack_sketches"}
        assert "print" not in calls or module in scripts, module


def test_only_a_score_opens_the_test_half():
    """`Place.test` is read in one module of the towers: the one that scores."""
    for module, tree in MODULES.items():
        reads = any(
            isinstance(node, ast.Attribute)
            and node.attr == "test"
            and isinstance(node.value, ast.Name)
            and node.value.id == "place"
            for node in ast.walk(tree)
        )
        assert not reads or module == "training.score", module


def test_no_nameless_rooms():
    nameless = {"utils", "util", "common", "helpers", "misc", "core", "manager", "factory"}
    assert not nameless & {part for module in MODULES for part in module.split(".")}


def test_files_are_short():
    long = {path.name: len(path.read_text().splitlines()) for path in ROOT.rglob("*.py")}
    assert not {name: lines for name, lines in long.items() if lines > 250}


@pytest.mark.parametrize("module", ["realitycheck.report.page", "realitycheck.verbs", "realitycheck.cli"])
def test_a_report_never_waits_for_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

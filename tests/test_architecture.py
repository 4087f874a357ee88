"""The house as a test: imports point downward, towers do not meet, and monopolies hold (design, section 3)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import realitycheck

ROOT = Path(realitycheck.__file__).parent

FLOORS = {
    "cli": 8,
    "__main__": 8,
    "verbs": 7,
    "testing": 7,
    "evaluations": 6,
    "training": 5,
    "stores": 4,
    "search": 4,
    "executors": 4,
    "report": 4,
    "verify": 4,
    "check": 4,
    "catalog": 3,
    "plan": 3,
    "records": 3,
    "executors.base": 2,
    "records.schema": 2,
    "records.curves": 2,
    "records.registration": 2,
    "evaluations.menu": 2,
    "search.samplers.menu": 2,
    "stores.cache": 2,
    "runs": 2,
    "protocol": 2,
    "losses": 1,
    "metrics": 1,
    "datasets": 1,
    "trunks": 1,
    "statistics": 1,
    "arithmetic": 0,
    "plugin_source": 1,
    "atomic": 0,
    "claims": 0,
    "leftovers": 0,
    "processes": 0,
    "canonical": 0,
    "https": 0,
    "errors": 0,
    "shipped": 0,
}
"""Room, or one module of it that lies lower, to its floor. Modules of floor 0 may import `errors`."""

SCIENCES = ({"losses"}, {"metrics"}, {"datasets"}, {"trunks"}, {"statistics"})
TOWERS = ({"stores", "training", "evaluations"}, {"search"}, {"executors"}, {"report"}, {"verify"})
APART = (SCIENCES, TOWERS)
"""Groups of rooms that never import one another, unless the imported module lies on a lower floor."""


def modules() -> dict[str, ast.Module]:
    paths = sorted(ROOT.rglob("*.py"))
    return {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): ast.parse(path.read_text())
        for path in paths
    }


MODULES = modules()


def source(module: str) -> str:
    return (ROOT / module.replace(".", "/")).with_suffix(".py").read_text()


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


def floor(module: str) -> int:
    """The floor of a module: its own where it has one, else that of the nearest package that has one."""
    parts = module.split(".")
    places = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next(FLOORS[place] for place in places if place in FLOORS)


def group(here: str, towers: tuple[set[str], ...]) -> int | None:
    return next((number for number, rooms in enumerate(towers) if here in rooms), None)


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"__init__"}))
def test_imports_point_downward(module):
    here = room(module)
    for name in imports(MODULES[module]):
        if not name.startswith("realitycheck."):
            continue
        target = name.removeprefix("realitycheck.")
        there = room(target)
        if there == here:
            continue
        assert floor(target) <= floor(module), f"{module} imports {name}, which lies above it"
        lower = floor(target) < FLOORS[there]
        for towers in APART:
            ours, theirs = group(here, towers), group(there, towers)
            apart = ours is not None and theirs is not None and ours != theirs
            assert lower or not apart, f"{module} imports {name}: these rooms never meet"


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
    "optuna": {"search.propose", "search.samplers.*", "search.optuna_file"},
    "scipy": {"statistics.*", "datasets.reading.matlab", "verify.*"},
    "faiss": {"metrics.*"},
    "ray": {"executors.on_ray"},
    "rich": {"cli.*"},
    "typer": {"cli.*"},
    "jinja2": {"report.*"},
    "matplotlib": {"report.*"},
    "torch": {
        *("training.*", "stores.*", "evaluations.*", "losses.*", "metrics.*", "trunks.*"),
        *(
            "catalog",
            "check.inert_ranges",
            "check.losses",
            "check.loss_trial",
            "check.trained_leaves",
            "check.names",
            "executors.preload",
            "testing.loss_contract",
        ),
        "search.samplers.*",  # loaded by name: `test_a_search_loads_only_what_its_sampler_needs`
    },
}


@pytest.mark.parametrize("package", sorted(MONOPOLIES))
def test_monopolies(package):
    allowed = MONOPOLIES[package]
    for module, tree in MODULES.items():
        if any(name.split(".")[0] == package for name in imports(tree)):
            packages = {".".join(module.split(".")[:length]) + ".*" for length in range(1, module.count(".") + 1)}
            assert allowed & {module, *packages}, f"{module} imports {package}"


def test_a_verification_shares_nothing_with_what_it_verifies():
    """`verify` imports the errors and itself: no formula, reader or digest of the code whose numbers it derives again.

    The verb gives it the study as plain JSON, and the answers of the sampler.
    """
    own = [name for module, tree in MODULES.items() if room(module) == "verify" for name in imports(tree)]
    ours = {name for name in own if name.split(".")[0] == "realitycheck"}
    assert len(ours) > 10
    assert {name for name in ours if not f"{name}.".startswith("realitycheck.verify.")} == {"realitycheck.errors"}


PUBLISHING = {"link", "rename", "fsync", "sync", "mkstemp", "NamedTemporaryFile", "file_digest"}
"""Names of functions by which a file is published or digested; `atomic` and `claims` alone call them."""


def test_files_are_published_and_digested_in_one_place():
    for module, tree in MODULES.items():
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not names & PUBLISHING or module in ("atomic", "claims"), f"{module}: {names & PUBLISHING}"


def test_only_the_command_line_prints():
    for module, tree in MODULES.items():
        calls = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        scripts = {"datasets.members.pack_sketches"}
        assert "print" not in calls or module in scripts, module


def test_only_a_score_can_name_the_test_half():
    """`ScoringPlace` alone has a test half. No other room spells its name, in whatever way it would use it.

    tests/verbs/test_one_door.py sees at work that no job but a score is given the test half, by whatever spelling.
    """
    spelled = {module for module in MODULES if "ScoringPlace" in source(module) and room(module) != "evaluations"}
    assert spelled == {"runs", "verbs.run"}


def test_no_nameless_rooms():
    nameless = {"utils", "util", "common", "helpers", "misc", "core", "manager", "factory"}
    assert not nameless & {part for module in MODULES for part in module.split(".")}


def functions() -> list[tuple[int, str]]:
    """Lines of every function without its docstring, and where it is."""
    lengths = []
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                text = ast.get_docstring(node)
                doc = (first.end_lineno or 0) - first.lineno + 1 if text is not None else 0
                lengths.append(((node.end_lineno or 0) - node.lineno + 1 - doc, f"{module}.{node.name}"))
    return sorted(lengths)


def test_functions_are_short():
    lengths = functions()
    assert lengths[-1][0] <= 45, lengths[-1]
    assert lengths[int(0.9 * len(lengths))][0] <= 15


def test_no_file_name_occurs_twice():
    """A name says what a file holds, whatever its room; only `base` and `menu` mean the same in every room."""
    stems = Counter(module.split(".")[-1] for module in MODULES if not module.endswith(("__init__", "__main__")))
    assert {stem for stem, count in stems.items() if count > 1} <= {"base", "menu"}


def test_no_name_of_a_test_file_occurs_twice():
    """pytest imports test files by their last name alone: a second one of a name is not collected at all."""
    names = Counter(path.name for path in Path(__file__).parent.rglob("*.py") if path.name != "conftest.py")
    assert {name for name, count in names.items() if count > 1} == set()


def test_no_public_class_name_occurs_twice():
    names = Counter(
        node.name
        for tree in MODULES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, count in names.items() if count > 1} == set()


def test_files_are_short():
    long = {path.name: len(path.read_text().splitlines()) for path in ROOT.rglob("*.py")}
    assert not {name: lines for name, lines in long.items() if lines > 300}


@pytest.mark.parametrize("module", ["realitycheck.report.page", "realitycheck.verbs", "realitycheck.cli.main"])
def test_a_report_never_waits_for_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""A page of several sides holds as it was written; changes by hand to it are found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tampered import Copy

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.verbs.compare import verified_sides
from realitycheck.verify.checks import Checks
from realitycheck.verify.compared_sides import check_comparison

TABLE = "warped2024:cub200"


@pytest.fixture(scope="module")
def home(reported: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    copy = reported.copied(tmp_path_factory.mktemp("compared") / "home")
    verbs.compare_studies([str(copy.study), TABLE])
    return copy


def page(copy: Copy) -> Path:
    return copy.home / "reports" / "compare-small-warped2024_cub200"


def test_the_untouched_page_holds(home: Copy):
    checks = verbs.verify_comparison([str(home.study), TABLE])
    assert checks.problems == []
    assert checks.counted["cells of index.html"] == checks.counted["cells of tables.md"] > 20


def in_json(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        body = json.loads((folder / "tables.json").read_text())
        change(body)
        (folder / "tables.json").write_text(json.dumps(body))

    return tamper


def in_text(name: str, pattern: str, new: str) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        text, changed = re.subn(pattern, new, (folder / name).read_text(), count=1, flags=re.DOTALL)
        assert changed
        (folder / name).write_text(text)

    return tamper


TAMPERINGS = {
    "a warning left out": (
        in_json(lambda body: body["sides"][0].update(warnings=[])),
        "table-differs",
    ),
    "a mean of the study": (
        in_json(lambda body: body["sides"][0]["scores"]["contrastive"].update(mean=0.9)),
        "table-differs",
    ),
    "a half-width": (
        in_json(lambda body: body["sides"][0]["scores"]["contrastive"].update(half_width=0.0)),
        "table-differs",
    ),
    "a verdict": (
        in_json(lambda body: body["sides"][0]["scores"]["normalized_softmax"].update(verdict="better")),
        "table-differs",
    ),
    "a published mean": (in_json(lambda body: body["sides"][1]["scores"]["cosface"].update(mean=0.3)), "table-differs"),
    "a dropped loss": (in_json(lambda body: body["sides"][1]["scores"].pop("hist")), "table-differs"),
    "an added loss": (
        in_json(lambda body: body["sides"][0]["scores"].update(hist=body["sides"][1]["scores"]["hist"])),
        "table-differs",
    ),
    "exchanged sides": (in_json(lambda body: body["sides"].reverse()), "table-differs"),
    "an agreement": (in_json(lambda body: body["agreements"][0].update(losses=["hist"])), "table-differs"),
    "a published cell of the page": (in_text("index.html", r"26\.89", "26.98"), "cell-differs"),
    "a published cell of Markdown": (in_text("tables.md", r"26\.89", "26.98"), "cell-differs"),
    "a row of Markdown": (in_text("tables.md", r"\n\| hist [^\n]*", ""), "cell-differs"),
    "a missing file": (lambda folder: (folder / "tables.md").unlink(), "report-incomplete"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_change_is_found(home: Copy, sides, tmp_path: Path, name: str):
    tamper, code = TAMPERINGS[name]
    copy = home.copied(tmp_path / "home")
    tamper(page(copy))
    checks = Checks()
    check_comparison(page(copy), sides, checks)
    assert {problem.code for problem in checks.problems} == {code}


@pytest.fixture(scope="module")
def sides(home: Copy):
    return verified_sides([str(home.study), TABLE], Checks())


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ([], "sides-missing"),
        ([TABLE], "sides-missing"),
        (["warped2024:cub2000"], "table-unknown"),
        (["other.yaml"], "ledger-missing"),
    ],
)
def test_what_cannot_be_verified(home: Copy, names: list[str], code: str):
    first = [] if names == [TABLE] else [str(home.study)]
    with pytest.raises(InputError) as caught:
        verbs.verify_comparison([*first, *names])
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_page_that_was_not_written(reported: Copy, tmp_path: Path):
    copy = reported.copied(tmp_path / "home")
    with pytest.raises(InputError) as caught:
        verbs.verify_comparison([str(copy.study), TABLE])
    assert [problem.code for problem in caught.value.problems] == ["report-missing"]


@pytest.mark.parametrize(
    "text", ["{}", "[]", "5", '{"sides": 5}', '{"sides": [null]}', "[" * 100_000], ids=lambda text: text[:9]
)
def test_tables_of_another_shape_are_named(home: Copy, tmp_path: Path, text: str):
    copy = home.copied(tmp_path / "home")
    (page(copy) / "tables.json").write_text(text)
    checks = verbs.verify_comparison([str(copy.study), TABLE])
    assert {problem.code for problem in checks.problems} & {"report-incomplete", "table-differs"}

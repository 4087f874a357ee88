"""Changes by hand to the numbers of evaluations, distances and sweeps are found, and the untouched report holds."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import tampered_sections
from made_studies import SECTIONS, carried_out
from tampered import Copy

from realitycheck import verbs
from realitycheck.verbs.verify import verified_ledger
from realitycheck.verify.checks import Checks
from realitycheck.verify.numbers_again import NumbersAgain
from realitycheck.verify.report_files import check_report


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A study with every evaluation and a sweep; not to be changed."""
    home = tmp_path_factory.mktemp("evaluated") / "home"
    protocol, study = SECTIONS
    verbs.pack_study(carried_out(home, protocol=protocol, study=study))
    return Copy(home)


@pytest.fixture(scope="module")
def found(evaluated: Copy):
    """The codes of the problems of a report of these records."""
    verified = verified_ledger(evaluated.study, ask=False)
    assert verified.checks.problems == []
    numbers = NumbersAgain(verified.study, verified.courses, verified.texts)

    def codes(report: Path) -> set[str]:
        checks = Checks()
        check_report(report, numbers, digest=verified.bodies.digest, checks=checks)
        return {problem.code for problem in checks.problems}

    return codes


def test_the_untouched_report_holds(evaluated: Copy, found):
    assert found(evaluated.report) == set()


def test_a_declared_sweep_is_scored_after_the_opening(evaluated: Copy):
    """Each value under both seeds, in the primary category alone: three values, and the chosen one is a replicate."""
    settings = {body["id"]: body["spec"]["knobs"].get("temperature") for body in evaluated.bodies("run")}
    scores = [body["spec"] for body in evaluated.bodies("score") if body["spec"]["evaluation"] == "clean"]
    swept = [settings[spec["models"][0]] for spec in scores if settings[spec["models"][0]] in (0.01, 0.1, 1.0)]
    assert sorted(swept) == [0.01, 0.01, 0.1, 0.1, 1.0, 1.0]
    assert all(len(spec["models"]) == 1 for spec in scores if settings[spec["models"][0]] in (0.01, 0.1, 1.0))


TAMPERINGS = {
    **{
        name: (partial(tampered_sections.in_json, keys=keys), "table-differs")
        for name, keys in tampered_sections.BY_JSON.items()
    },
    **{
        name: (partial(tampered_sections.in_markdown, head=head, row=row, column=column), "cell-differs")
        for name, (head, row, column) in tampered_sections.BY_MARKDOWN.items()
    },
    **{
        f"page: {name}": (partial(tampered_sections.on_page, heading=name), "cell-differs")
        for name in tampered_sections.ON_PAGE
    },
    "a line below a published one": (partial(tampered_sections.below_published, file="tables.md"), "cell-differs"),
    "page: a line below a published one": (
        partial(tampered_sections.below_published, file="index.html"),
        "cell-differs",
    ),
    "a dropped line below a published one": (tampered_sections.dropped_below_published, "cell-differs"),
    "moved choice": (tampered_sections.moved_choice, "cell-differs"),
    "hidden rise": (tampered_sections.hidden_rise, "sentence-differs"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_changed_number_of_a_section_is_found(evaluated: Copy, found, tmp_path: Path, name: str):
    tamper, code = TAMPERINGS[name]
    copy = evaluated.copied_report(tmp_path / "home")
    tamper(copy)
    assert found(copy.report) == {code}

"""Several studies, or a study and published tables, on one page."""

import json
from dataclasses import replace

import pytest
from made_records import with_search
from pages import Seen, findings_of, markdown_row
from scipy import stats

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.records.evidence import SearchFailure
from realitycheck.report.page import write_sides
from realitycheck.report.papers.published_tables import paper_table
from realitycheck.report.side_by_side import Side, SideScore, side_of_paper, sides_of_study
from realitycheck.report.study_warnings import find_warnings
from realitycheck.runs import Category


def side(title, **means):
    scores = {label: SideScore(mean, 0.01, trained=True, marks=(), verdict=None) for label, mean in means.items()}
    return Side(title, "complete-512 MAP@R", "About.", 0.95, scores)


@pytest.fixture
def written(tmp_path):
    def write(*sides):
        paths = write_sides(sides, folder=tmp_path / "page")
        return {path.name: path.read_text() for path in paths}

    return write


def test_rankings_are_compared_over_common_losses(written):
    one = side("one", a=0.1, b=0.2, c=0.3, d=0.4)
    two = side("two", b=0.5, c=0.2, d=0.9, e=0.1)
    (pair,) = json.loads(written(one, two)["tables.json"])["agreements"]
    assert pair["losses"] == ["b", "c", "d"]
    assert pair["spearman"] == pytest.approx(stats.spearmanr([0.2, 0.3, 0.4], [0.5, 0.2, 0.9]).statistic)


def test_ranks_are_those_of_each_side(written):
    text = written(side("one", a=0.1, b=0.2), side("two", b=0.3, a=0.4))["tables.md"]
    assert markdown_row(text, "a")[1:] == ["10.00 ± 1.00", "2", "–", "40.00 ± 1.00", "1", "–"]


def test_untrained_models_come_last_and_have_no_rank(written):
    one = side("one", a=0.1)
    none = SideScore(0.3, None, trained=False, marks=(), verdict=None)
    one = replace(one, scores={"untrained trunk": none, **one.scores})
    text = written(one, side("two", b=0.2))["tables.md"]
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    assert rows[2:5] == ["a", "b", "untrained trunk"]
    assert markdown_row(text, "untrained trunk")[1:3] == ["30.00", "–"]
    assert markdown_row(text, "a")[2] == "1"


@pytest.mark.parametrize(("untrained", "said"), [(False, "2 losses on"), (True, "2 losses and 1 untrained model on")])
def test_the_figure_is_named_by_losses_and_untrained_models(written, untrained, said):
    one = side("one", a=0.1)
    none = SideScore(0.3, None, trained=False, marks=(), verdict=None)
    one = replace(one, scores={**one.scores, **({"untrained trunk": none} if untrained else {})})
    assert f'aria-label="Scores of {said} 2 sides"' in written(one, side("two", b=0.2))["index.html"]


def test_a_study_has_its_verdicts(study, dataset):
    findings = findings_of(study, [dataset])
    (own,) = sides_of_study(findings)
    verdicts = {one.label: one.verdict for one in findings.datasets[0].comparisons}
    assert {label: score.verdict for label, score in own.scores.items() if score.verdict} == verdicts
    cell = findings.datasets[0].rows[1].cell(Category.ENSEMBLE, "map_at_r")
    assert own.scores["circle"].mean == cell.mean


def test_the_warnings_of_a_study_are_below_its_verdicts(study, dataset, edit, written):
    failure = SearchFailure("ValueError: no", "Traceback")
    findings = findings_of(study, [edit(dataset, circle=lambda loss: with_search(loss, failed=failure))])
    (own,) = sides_of_study(findings)
    warnings = find_warnings(findings.datasets[0])
    assert warnings
    texts = written(own, side("published", circle=0.2))
    listed = json.loads(texts["tables.json"])["sides"]
    assert [one["code"] for one in listed[0]["warnings"]] == [warning.code for warning in warnings]
    assert listed[1]["warnings"] is None
    page, scores = Seen(texts["index.html"]).text, texts["tables.md"].split("## Agreement")[0]
    for number, warning in enumerate(warnings, 1):
        assert f"({number}) {warning.brief}" in page
        assert f"({number}) {warning.brief}".replace("_", r"\_") in scores


def test_a_study_has_its_interval_over_seeds_beside_the_one_that_counts_searches(written):
    two = SideScore(0.27, 0.03, trained=True, marks=(), verdict=None, retraining=0.0035)
    texts = written(replace(side("one"), scores={"a": two}), side("paper", a=0.25))
    assert markdown_row(texts["tables.md"], "a")[1:] == ["27.00 ± 3.00 (0.35)", "1", "–", "25.00 ± 1.00", "1", "–"]
    assert "In brackets" in texts["tables.md"]
    assert "In brackets" not in written(side("one", a=0.1), side("paper", a=0.25))["tables.md"]


def test_a_published_table_is_a_side():
    table = paper_table("warped2024", "cub200")
    own = side_of_paper(table, category=Category.COMPLETE, metric="map_at_r", addresses={})
    # Table VI: 26.76 ± 0.25
    assert own.scores["warped_softmax"].mean == pytest.approx(0.2676)
    assert own.scores["warped_softmax"].half_width == pytest.approx(0.0025)
    assert own.column == "complete-512 MAP@R"


def test_a_published_loss_is_paired_by_its_address():
    table = paper_table("warped2024", "cub200")
    addresses = {"mine": "warped_softmax", "hist": "my_lab.losses:Hist"}
    own = side_of_paper(table, category=Category.COMPLETE, metric="map_at_r", addresses=addresses)
    plain = side_of_paper(table, category=Category.COMPLETE, metric="map_at_r", addresses={})
    assert own.scores["mine"] == plain.scores["warped_softmax"]
    assert "warped_softmax" not in own.scores and "hist" not in own.scores
    assert own.scores["hist (menu)"] == plain.scores["hist"]


def test_names_are_text(written):
    hostile = "<script>alert(1)</script>"
    page = written(side(hostile, a=0.1), side("two", a=0.2))["index.html"]
    seen = Seen(page)
    assert len(seen.scripts) == 1
    assert hostile in seen.text


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["{study}"], "sides-missing"),
        (["warped2024:cub200", "{study}"], "sides-missing"),
        (["{study}", "warped2024:mars"], "table-unknown"),
        (["{study}", "nobody:cub200"], "table-unknown"),
        (["{study}", "musgrave2020:cub200"], "table-without-column"),  # it has no complete models
    ],
)
def test_wrong_names(finished, names, code):
    with pytest.raises(InputError) as raised:
        verbs.compare_studies([name.format(study=finished) for name in names])
    assert [problem.code for problem in raised.value.problems] == [code]


def test_a_finished_study_beside_a_table(finished):
    paths = {path.name: path for path in verbs.compare_studies([str(finished), "warped2024:cub200"])}
    assert paths["index.html"].parent.name == f"compare-{finished.stem}-warped2024_cub200"
    assert len(json.loads(paths["tables.json"].read_text())["sides"]) == 2

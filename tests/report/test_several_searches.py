"""A study with two searches per loss, four replicates divided between them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from made_records import DIVERGED, UNSEARCHED, together, with_search
from pages import Seen, findings_of, found_in, markdown_section, texts_of
from scipy import stats

from realitycheck.report.late import exploratory
from realitycheck.report.sections import search_results, shared_effects
from realitycheck.report.sections.measured import held_constant
from realitycheck.report.sections.retraining import endings
from realitycheck.runs import Category
from realitycheck.statistics.base import LossScores
from realitycheck.statistics.estimators import estimator

PRIMARY = (Category.ENSEMBLE, "map_at_r")


@pytest.fixture(scope="module")
def study(synthetic_study):
    return synthetic_study(labels=("contrastive", "circle", "soft_triple"), seeds=4, trials=6, searches=2)


@pytest.fixture(scope="module")
def dataset(study, synthetic_dataset):
    return synthetic_dataset(study)


def cell_of(study, dataset, label="circle"):
    (found,) = findings_of(study, [dataset]).datasets
    return found.row(label).cell(*PRIMARY)


def test_replicates_are_numbered_through_all_searches(study, dataset):
    values = together(dataset.losses[1])
    cell = cell_of(study, dataset)
    assert cell.values == tuple(values)
    assert cell.search_means == pytest.approx((np.mean(values[:2]), np.mean(values[2:])))
    assert (cell.interval.low, cell.interval.high) == pytest.approx(
        stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    )


def test_a_search_that_has_not_chosen_leaves_its_replicates_pending(study, dataset, edit):
    def searching(loss):
        return with_search(loss, number=0, trials=loss.searches[0].trials[:2], chosen=None, replicates=())

    late = edit(dataset, circle=searching)
    cell = cell_of(study, late)
    assert cell.values == (None, None, *together(dataset.losses[1])[2:])
    assert (cell.pending, cell.diverged, cell.search_means[0]) == (2, 0, None)
    assert findings_of(study, [late]).datasets[0].missing == ("circle, search 1: 2 of 6 trials finished.",)


def test_a_search_that_only_diverged_loses_its_own_replicates_alone(study, dataset, edit):
    def hopeless(loss):
        trials = tuple(replace(trial, runs=(DIVERGED, *trial.runs[1:])) for trial in loss.searches[1].trials)
        return with_search(loss, number=1, trials=trials, chosen=None, replicates=())

    late = edit(dataset, circle=hopeless)
    cell = cell_of(study, late)
    assert (cell.n, cell.diverged, cell.pending) == (2, 2, 0)
    assert not findings_of(study, [late]).datasets[0].missing


def test_scores_still_to_come_are_counted_by_search(study, dataset, edit):
    def waiting(loss):
        first, second = loss.searches[1].replicates
        return with_search(loss, number=1, replicates=(first, replace(second, complete_run=None, scores={})))

    missing = findings_of(study, [edit(dataset, circle=waiting)]).datasets[0].missing
    assert missing == ("circle, search 2: 1 of 2 replicates without all test scores.",)


def test_every_search_is_summarized(study, dataset):
    found = found_in(study, dataset, search_results.SECTION)
    assert [(search.label, search.number) for search in found.searches] == [
        (label, number) for label in ("contrastive", "circle", "soft_triple") for number in (0, 1)
    ]
    for summary, search in zip(found.searches[2:4], dataset.losses[1].searches, strict=True):
        values = [np.mean(trial.fold_values) for trial in search.trials]
        fresh = np.mean([run.best.scores["map_at_r"] for each in search.replicates for run in each.fold_runs])
        assert (summary.slot, summary.value) == (int(np.argmax(values)), pytest.approx(max(values)))
        assert summary.optimism == pytest.approx(max(values) - fresh)


def test_every_search_has_its_endings(study, dataset):
    first, second = endings(dataset.losses[1], study.protocol)
    assert [(each.label, each.number) for each in (first, second)] == [("circle", 0), ("circle", 1)]
    assert (first.final.runs, first.search.runs, first.complete) == (2 * 4, 6 * 4, (300, 300))


def test_a_search_that_the_first_opening_does_not_name_makes_a_loss_exploratory(dataset, edit):
    assert exploratory(dataset) == set()
    changed = edit(dataset, circle=lambda loss: with_search(loss, number=1, id="another"))
    fewer = edit(dataset, circle=lambda loss: replace(loss, searches=loss.searches[:1]))
    assert exploratory(changed) == exploratory(fewer) == {"circle"}


def test_the_protocol_lines_count_searches(study):
    lines = dict(held_constant(study.protocol, interval="Some interval"))
    assert lines["Search"].startswith("2 independent searches, each with its own seeds and 6 trials of 4 fold runs; ")
    assert lines["Retraining"].startswith("4 fresh seeds, 2 for the setting chosen by each search, 4 fold runs")


def test_tables_have_one_line_per_loss_and_name_what_the_interval_ignores(study, dataset):
    texts = texts_of(study, [dataset])
    rows = list(csv.DictReader(io.StringIO(texts["tables.csv"])))
    assert [row["loss"] for row in rows[:3]] == ["contrastive", "circle", "soft_triple"]
    assert rows[0]["ensemble-512 MAP@R n"] == "4"
    # Retraining only: the variance within two searches of two seeds, with 4 − 2 degrees of freedom; t is 4.3027.
    values = 100 * np.array(together(dataset.losses[1])).reshape(2, 2)
    alone = 4.302653 * np.sqrt(values.var(axis=1, ddof=1).mean() / 4)
    assert float(rows[1]["ensemble-512 MAP@R retraining_half_width"]) == pytest.approx(alone, abs=0.006)
    assert rows[1]["ensemble-512 MAP@R half_width"] != rows[1]["ensemble-512 MAP@R retraining_half_width"]
    body = json.loads(texts["tables.json"])
    assert "independent" in body["covers"]
    assert len(body["datasets"][0]["rows"][0]["cells"][0]["search_means"]) == 2


def test_the_page_shows_every_search(study, dataset):
    texts = texts_of(study, [dataset])
    text = Seen(texts["index.html"]).text.split("Test scores")[1]  # the list of warnings comes before
    for label in ("contrastive", "circle", "soft_triple"):
        for number in (1, 2):
            # Cost, chosen settings, effort, endings; five near-best ones.
            assert text.count(f"{label}, search {number}") == 9
    mean = np.mean(together(dataset.losses[1])[2:])
    row = next(
        line for line in markdown_section(texts["tables.md"], "Search").splitlines() if "circle, search 2" in line
    )
    assert row.endswith(f"| {100 * mean:.2f} |")


def test_page_and_markdown_warn_beside_answer_scores_differences_and_ranks(study, dataset):
    texts = texts_of(study, [dataset])
    covers = findings_of(study, [dataset]).study.estimator.covers
    assert Seen(texts["index.html"]).text.count(covers) == texts["tables.md"].count(covers) == 4


def test_a_study_before_its_first_proposal(study, dataset):
    def bare(loss):
        for number in (0, 1):
            loss = with_search(loss, number=number, **UNSEARCHED)
        return loss

    untouched = replace(
        dataset,
        losses=tuple(map(bare, dataset.losses)),
        untrained=tuple(map(bare, dataset.untrained)),
        openings=(),
    )
    text = Seen(texts_of(study, [untouched])["index.html"]).text
    assert "cub200, circle, search 2: 0 of 6 trials finished." in text


def test_seeds_have_the_numbers_of_the_records(study, dataset):
    rows = list(csv.DictReader(io.StringIO(texts_of(study, [dataset])["seeds.csv"])))
    circle = {(int(row["search"]), int(row["replicate"])) for row in rows if row["loss"] == "circle"}
    assert circle == {(each.search + 1, each.index + 1) for each in dataset.losses[1].replicates}
    for each in dataset.losses[1].replicates:
        score = dataset.losses[1].score(each, category=Category.ENSEMBLE, metric="map_at_r")
        row = next(row for row in rows if (row["loss"], row["replicate"]) == ("circle", str(each.index + 1)))
        assert float(row["ensemble-512 MAP@R"]) == pytest.approx(100 * score)


def test_what_all_losses_have_in_common_in_a_search(study, dataset):
    """The two-way table of three losses and two searches, by hand: residual 3 losses have 2 · 1 degrees of freedom."""
    (found,) = findings_of(study, [dataset]).datasets
    table = 100 * np.array([row.cell(*PRIMARY).search_means for row in found.rows])
    gaps = table[:, 0] - table[:, 1]
    facts = shared_effects.find(found)
    assert 100 * np.array(facts.means) == pytest.approx(table.mean(axis=0))
    assert 100 * facts.sd == pytest.approx(abs(gaps.mean()) / np.sqrt(2))
    assert 100 * facts.by_chance == pytest.approx(np.sqrt(gaps.var(ddof=1) / 2 / 3))
    texts = texts_of(study, [dataset])
    said = json.loads(texts["tables.json"])["datasets"][0]["shared_effects"]["sentence"]
    assert f"of {table[:, 0].mean():.2f} and {table[:, 1].mean():.2f} over 3 losses" in said
    assert said in Seen(texts["index.html"]).text and said.split(":")[0] in texts["tables.md"]


def test_one_search_or_one_complete_loss_has_nothing_in_common(study, dataset, synthetic, edit):
    alone = synthetic.make_study(labels=("contrastive", "circle"), seeds=4, trials=6)
    (found,) = findings_of(alone, [synthetic.make_dataset(alone)]).datasets
    assert shared_effects.find(found) is None

    def waiting(loss):
        first, second = loss.searches[1].replicates
        return with_search(loss, number=1, replicates=(first, replace(second, complete_run=None, scores={})))

    (found,) = findings_of(study, [edit(dataset, circle=waiting)]).datasets
    assert shared_effects.find(found).losses == 2
    (found,) = findings_of(study, [edit(dataset, circle=waiting, soft_triple=waiting)]).datasets
    assert shared_effects.find(found) is None


@pytest.mark.parametrize("method", ["searches_pooled", "searches_calibrated"])
@pytest.mark.parametrize("losses", [3, 4])
def test_intervals_contain_what_the_sentence_says_that_they_contain(method, losses):
    """A shift of all losses in one search widens the ± of a score, and a difference with up to three losses alone."""
    rule = estimator(method, level=0.95, searches=2)
    plain = np.random.default_rng(3).normal(0.3, 0.01, (losses, 4))
    shifted = plain + 0.1 * np.array([0, 0, 1, 1])
    near = tuple((0.3 + 0.01 * place, 0.3) for place in range(2))
    before, after = (
        rule.fit({f"l{place}": LossScores(tuple(row), near) for place, row in enumerate(table)}, losses=losses)
        for table in (plain, shifted)
    )
    for one, other in ((before.loss("l0"), after.loss("l0")), (before.above("l0", (0.1,)), after.above("l0", (0.1,)))):
        assert other.interval(0.95).half_width > 5 * one.interval(0.95).half_width
    contained = after.difference("l0", "l1").error > 2 * before.difference("l0", "l1").error
    assert contained == (losses == 3)
    assert (after.difference("l0", "l1").error == pytest.approx(before.difference("l0", "l1").error)) == (losses == 4)
    assert ("Every interval contains this spread" in rule.of_shared(losses=losses)) == contained

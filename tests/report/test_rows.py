from dataclasses import replace

import numpy as np
import pytest
from made_records import DIVERGED, with_scores, with_search
from scipy import stats

from realitycheck.report.rows import make_rows
from realitycheck.runs import Category
from realitycheck.statistics.estimators import estimator


def row_of(study, dataset, label):
    rule = estimator("student_t", level=0.95, searches=1)
    statuses = {loss.label: "" for loss in dataset.losses}
    rows = make_rows(dataset.losses, study.protocol, rule, statuses=statuses, exploratory=(), late=())
    return next(row for row in rows if row.label == label)


def test_aggregate_is_the_mean_of_the_folds_under_the_declared_distance(study, dataset):
    replicates = dataset.losses[0].replicates  # contrastive declares euclidean
    by_hand = [
        np.mean([model["euclidean"].scores["r_precision"] for model in replicate.scores["clean"].folds.models])
        for replicate in replicates
    ]
    cell = row_of(study, dataset, "contrastive").cell(Category.AGGREGATE, "r_precision")
    assert cell.values == pytest.approx(by_hand)
    low, high = stats.t.interval(0.95, 3, loc=np.mean(by_hand), scale=stats.sem(by_hand))
    assert (cell.mean, cell.interval.low, cell.interval.high) == pytest.approx((np.mean(by_hand), low, high))
    assert (cell.n, cell.diverged, cell.pending, cell.interval.over) == (4, 0, 0, "seeds")


def test_ensemble_and_complete_are_single_scores(study, dataset):
    row = row_of(study, dataset, "circle")
    first = dataset.losses[1].replicates[0].scores["clean"]
    ensemble = row.cell(Category.ENSEMBLE, "map_at_r").values[0]
    complete = row.cell(Category.COMPLETE, "precision_at_1").values[0]
    assert ensemble == first.folds.together["cosine"].scores["map_at_r"]
    assert complete == first.complete.models[0]["cosine"].scores["precision_at_1"]


def test_columns_follow_the_protocol(study, dataset):
    cells = row_of(study, dataset, "circle").cells
    assert [cell.category for cell in cells] == [*["complete"] * 3, *["ensemble"] * 3, *["aggregate"] * 3]
    assert [cell.metric for cell in cells[:3]] == ["map_at_r", "r_precision", "precision_at_1"]


def test_a_diverged_fold_costs_fold_scores_but_not_the_complete_one(study, dataset, edit, synthetic):
    def one_bad(loss):
        return with_search(loss, replicates=(synthetic.diverge(loss.replicates[0], fold=2), *loss.replicates[1:]))

    row = row_of(study, edit(dataset, circle=one_bad), "circle")
    for category, diverged in ((Category.AGGREGATE, 1), (Category.ENSEMBLE, 1), (Category.COMPLETE, 0)):
        cell = row.cell(category, "map_at_r")
        assert (cell.diverged, cell.pending, cell.n) == (diverged, 0, 4 - diverged)


def test_scores_still_to_come_are_pending(study, dataset, edit):
    def half_done(loss):
        bare = with_scores(replace(loss.replicates[3], complete_run=None), folds=None, complete=None)
        return with_search(loss, replicates=(*loss.replicates[:3], bare))

    cell = row_of(study, edit(dataset, circle=half_done), "circle").cell(Category.COMPLETE, "map_at_r")
    assert (cell.diverged, cell.pending, cell.missing) == (0, 1, 1)


def test_a_diverged_complete_run(study, dataset, edit):
    def bad_end(loss):
        bad = with_scores(replace(loss.replicates[0], complete_run=DIVERGED), complete=None)
        return with_search(loss, replicates=(bad, *loss.replicates[1:]))

    row = row_of(study, edit(dataset, circle=bad_end), "circle")
    assert row.cell(Category.COMPLETE, "map_at_r").diverged == 1
    assert row.cell(Category.ENSEMBLE, "map_at_r").diverged == 0


@pytest.mark.parametrize(("rule", "lost"), [("per_replicate", 1), ("appendix_d", 0)])
def test_without_phase_lengths_there_is_no_complete_run(study, dataset, edit, rule, lost):
    def all_folds_bad(loss):
        gone = replace(loss.replicates[0], fold_runs=(DIVERGED,) * 4, complete_run=None)
        gone = with_scores(gone, folds=None, complete=None)
        return with_search(loss, replicates=(gone, *loss.replicates[1:]))

    final = study.protocol.final.model_copy(update={"complete": rule})
    study = study.model_copy(update={"protocol": study.protocol.model_copy(update={"final": final})})
    cell = row_of(study, edit(dataset, circle=all_folds_bad), "circle").cell(Category.COMPLETE, "map_at_r")
    assert (cell.diverged, cell.pending) == (lost, 1 - lost)


def test_one_score_has_a_mean_and_no_interval(study, dataset, edit):
    row = row_of(study, edit(dataset, circle=lambda loss: with_search(loss, replicates=loss.replicates[:1])), "circle")
    cell = row.cell(Category.ENSEMBLE, "map_at_r")
    assert cell.mean == cell.values[0]
    assert cell.interval is None
    assert cell.pending == 3


def test_a_search_that_only_diverged_loses_every_replicate(study, dataset, edit):
    def hopeless(loss):
        trials = tuple(replace(trial, runs=(DIVERGED, *trial.runs[1:])) for trial in loss.trials)
        return with_search(loss, trials=trials, chosen=None, replicates=())

    cell = row_of(study, edit(dataset, circle=hopeless), "circle").cell(Category.ENSEMBLE, "map_at_r")
    assert (cell.n, cell.diverged, cell.pending, cell.mean) == (0, 4, 0, None)


def test_marks_beside_a_name(study, dataset, edit, synthetic):
    def mixed(loss):
        return with_search(loss, replicates=(synthetic.diverge(loss.replicates[0], fold=2), *loss.replicates[1:3]))

    row = row_of(study, edit(dataset, circle=mixed), "circle")
    assert row.every_mark == ("1 of 4 diverged", "1 pending")
    assert replace(row, status="reconstruction", exploratory=True).marks == ("reconstruction", "exploratory")

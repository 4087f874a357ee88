"""Cost, time to target and near-best trials of a search, by hand and by loops."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from made_records import DIVERGED, make_phase
from pages import found_in, markdown_section, texts_of

from realitycheck.records.curves import CurvePoint
from realitycheck.report.sections import search_effort as module
from realitycheck.report.sections.search_effort import Reached, iterations_of, search_effort


def made(search, *, values, start):
    """The search with these values of trials, each fold run of 100 iterations, two validations, and this start."""
    trials = []
    for trial, value in zip(search.trials, values, strict=True):
        runs = []
        for run in trial.runs:
            scores = run.best.scores
            points = [
                CurvePoint(0, None, {**scores, "map_at_r": start}),
                CurvePoint(100, "normal", {**scores, "map_at_r": value or 0}),
            ]
            best = replace(run.best, iteration=100, scores={**scores, "map_at_r": value or 0})
            runs.append(replace(run, curve=tuple(points), phases=(make_phase(100, cap=500),), best=best))
        trials.append(replace(trial, runs=(DIVERGED, *runs[1:]) if value is None else tuple(runs)))
    return replace(search, trials=tuple(trials))


def test_cost_and_time_to_target(dataset):
    search = made(dataset.losses[0].searches[0], values=[0.30, None, 0.39, 0.497, 0.50, 0.45], start=0.35)
    effort = search_effort("a", search, {}, noise=0.01)
    # Six trials of four fold runs of 100 iterations; the diverged fold run trained on nothing.
    assert (effort.iterations, effort.evaluations) == (6 * 400 - 100, 2 * (6 * 4 - 1))
    assert effort.untrained == pytest.approx(0.35)
    assert effort.to_untrained == Reached(3, 3 * 400 - 100)
    assert effort.to_final == Reached(4, 4 * 400 - 100)  # 0.497 is above 0.99 · 0.50 = 0.495
    assert effort.near_best == 2  # within 1.96 · √2 · 0.01 = 0.0277 of 0.50
    assert effort.completed == 5
    assert effort.retraining == sum(
        iterations_of(run) for one in search.replicates for run in (*one.fold_runs, one.complete_run)
    )


def test_a_search_that_never_reaches_the_untrained_score(dataset):
    search = made(dataset.losses[0].searches[0], values=[0.1] * 6, start=0.35)
    assert search_effort("a", search, {}, noise=None).to_untrained is None
    lost = made(dataset.losses[0].searches[0], values=[None] * 6, start=0.35)
    effort = search_effort("a", lost, {}, noise=0.01)
    assert (effort.to_untrained, effort.to_final, effort.near_best, effort.completed) == (None, None, None, 0)


def test_noise_is_pooled_within_the_replicates_of_each_search(study, dataset):
    squares = freedom = 0.0
    for loss in dataset.losses:
        for search in loss.searches:
            values = [np.mean([run.best.scores["map_at_r"] for run in one.fold_runs]) for one in search.replicates]
            squares += sum((value - np.mean(values)) ** 2 for value in values)
            freedom += len(values) - 1
    noise = found_in(study, dataset, module.SECTION).noise
    assert noise == pytest.approx(math.sqrt(squares / freedom))


def test_the_page_has_effort_and_importance(synthetic):
    study = synthetic.make_study(labels=("contrastive", "soft_triple"), seeds=4, trials=30)
    evidence = synthetic.make_dataset(study)
    section = markdown_section(texts_of(study, [evidence])["tables.md"], "Search effort")
    for loss in evidence.losses:
        effort = search_effort(
            loss.label, loss.searches[0], study.protocol.space_of(study.loss(loss.label), "cub200"), noise=None
        )
        assert set(effort.importance) == {
            name
            for name in loss.searches[0].trials[0].knobs
            if name != "tau"  # tau is fixed
        }
        assert sum(effort.importance.values()) == pytest.approx(1)
        for name, value in effort.importance.items():
            assert f"| {name.replace('_', chr(92) + '_')} | {100 * value:.0f} |" in section


def test_before_the_first_trial_there_is_no_section(study, dataset):
    bare = replace(
        dataset,
        losses=tuple(replace(loss, searches=(replace(loss.searches[0], trials=()),)) for loss in dataset.losses),
    )
    assert found_in(study, bare, module.SECTION) is None

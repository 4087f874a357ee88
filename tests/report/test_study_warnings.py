"""Warnings beside the verdicts: when there is one, and that every output has it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from made_records import DIVERGED, make_phase, with_search
from pages import Seen, findings_of, markdown_row, markdown_section, texts_of
from scipy import stats

from realitycheck.protocol.space import IntUniform
from realitycheck.records.evidence import SearchFailure
from realitycheck.report import ranking_warnings
from realitycheck.report.sections import differences
from realitycheck.report.sections.search_effort import search_effort
from realitycheck.report.study_warnings import find_warnings
from realitycheck.report.writers.latex_table import latex_table
from realitycheck.report.writers.markdown_text import markdown
from realitycheck.statistics.searches_pooled import PooledFit

LABELS = ("contrastive", "circle", "soft_triple", "proxy_nca", "arcface")


@pytest.fixture(scope="module")
def study(synthetic_study):
    return synthetic_study(labels=LABELS, seeds=4, trials=6, searches=2)


@pytest.fixture(scope="module")
def dataset(study, synthetic_dataset):
    return synthetic_dataset(study)


@pytest.fixture
def warned(study):
    """The warnings of some evidence by code."""

    def find(evidence):
        (found,) = findings_of(study, [evidence]).datasets
        return {warning.code: warning for warning in find_warnings(found)}

    return find


def chosen(loss, **knobs):
    for search in loss.searches:
        own = replace(search.chosen, knobs={**search.chosen.knobs, **knobs})
        loss = with_search(loss, number=search.number, chosen=own)
    return loss


def means_of(dataset):
    return {
        loss.label: np.mean(
            [one.scores[loss.evaluation].folds.together[loss.distance].scores["map_at_r"] for one in loss.replicates]
        )
        for loss in dataset.losses
    }


@pytest.mark.parametrize(
    ("order", "expected"), [((0, 1, 2, 3, 4), 1.0), ((1, 0, 3, 2, 4), 0.8), ((2, 0, 4, 1, 3), None)]
)
def test_a_shared_knob_that_predicts_the_ranking(order, expected, dataset, warned):
    means = means_of(dataset)
    ranked = sorted(means, key=means.get)
    rates = {label: 1e-6 * 3.0 ** order[place] for place, label in enumerate(ranked)}
    losses = tuple(chosen(loss, trunk_lr=rates[loss.label]) for loss in dataset.losses)
    warning = warned(replace(dataset, losses=losses)).get("knob-predicts-ranking")
    theirs = stats.spearmanr([rates[label] for label in ranked], [means[label] for label in ranked]).statistic
    if expected is None:
        assert abs(theirs) <= ranking_warnings.PREDICTS
        assert warning is None
    else:
        assert theirs == pytest.approx(expected)
        searches = searches_of(dataset, rates)
        assert warning.about[0].numbers == {
            **{"knob": "trunk_lr", "spearman": pytest.approx(expected), "losses": 5},
            **{"spearman_searches": pytest.approx(stats.spearmanr(*searches).statistic), "searches": 10},
        }


def searches_of(dataset, rates):
    """The rate and the test score of every search."""
    scores = [
        np.mean(
            [one.scores[loss.evaluation].folds.together[loss.distance].scores["map_at_r"] for one in search.replicates]
        )
        for loss in dataset.losses
        for search in loss.searches
    ]
    return [rate for loss in dataset.losses for rate in [rates[loss.label]] * 2], scores


def test_a_shared_knob_that_follows_the_searches_where_their_means_hide_it(dataset, warned):
    """In each loss the search with the higher test score has the higher rate, and all losses have one mean rate."""
    losses, searches = [], []
    for loss in dataset.losses:
        means = [
            np.mean(
                [one.scores[loss.evaluation].folds.together[loss.distance].scores["map_at_r"] for one in own.replicates]
            )
            for own in loss.searches
        ]
        searches += [(mean, number, loss.label) for number, mean in enumerate(means)]
    ranked = {(label, number): place for place, (_, number, label) in enumerate(sorted(searches))}
    for loss in dataset.losses:
        for search in loss.searches:
            rate = 1e-6 * 2.0 ** ranked[loss.label, search.number]
            own = replace(search.chosen, knobs={**search.chosen.knobs, "trunk_lr": rate})
            loss = with_search(loss, number=search.number, chosen=own)
        losses.append(loss)
    warning = warned(replace(dataset, losses=tuple(losses)))["knob-predicts-ranking"]
    assert warning.about[0].numbers["spearman_searches"] == pytest.approx(1)
    assert "1.00 over their 10 searches" in warning.sentence


def test_the_chosen_values_of_several_searches_are_averaged_on_the_scale_of_the_range(study, dataset):
    first = dataset.losses[0]
    for search, rate in zip(first.searches, (1e-6, 1e-4), strict=True):
        own = replace(search.chosen, knobs={**search.chosen.knobs, "trunk_lr": rate})
        first = with_search(first, number=search.number, chosen=own)
    found = findings_of(study, [replace(dataset, losses=(first, *dataset.losses[1:]))]).datasets[0]
    places = ranking_warnings.chosen_places(found, "trunk_lr")["contrastive"]
    assert places == pytest.approx([0, 2 / 3])  # of [1e-6, 1e-3]
    assert ranking_warnings.mean_of(places) == pytest.approx(1 / 3)


def test_validation_that_does_not_predict_the_test_score(dataset, warned):
    means = means_of(dataset)
    falling = sorted(means, key=means.get, reverse=True)

    def with_validation(loss, value):
        for search in loss.searches:
            replicates = tuple(
                replace(one, fold_runs=tuple(rescored(run, value) for run in one.fold_runs))
                for one in search.replicates
            )
            loss = with_search(loss, number=search.number, replicates=replicates)
        return loss

    def rescored(run, value):
        return replace(run, best=replace(run.best, scores={**run.best.scores, "map_at_r": value}))

    def given(order):
        values = {label: 0.2 + place / 100 for place, label in enumerate(order)}
        return replace(dataset, losses=tuple(with_validation(loss, values[loss.label]) for loss in dataset.losses))

    warning = warned(given(falling))["validation-does-not-predict"]
    assert warning.about[0].numbers == {"spearman": pytest.approx(-1), "losses": 5}
    assert "validation-does-not-predict" not in warned(given(falling[::-1]))


def test_too_few_losses_have_the_correlation_of_ten_searches_alone(synthetic):
    """Four losses of three searches: none over losses, and one over twelve searches."""
    study = synthetic.make_study(labels=LABELS[:4], seeds=6, trials=6, searches=3)
    dataset = synthetic.make_dataset(study)
    means = means_of(dataset)
    rates = {label: 1e-6 * 3.0**place for place, label in enumerate(sorted(means, key=means.get))}
    losses = tuple(chosen(loss, trunk_lr=rates[loss.label]) for loss in dataset.losses)
    (found,) = findings_of(study, [replace(dataset, losses=losses)]).datasets
    (warning,) = [one for one in find_warnings(found) if one.code == "knob-predicts-ranking"]
    assert set(warning.about[0].numbers) == {"knob", "spearman_searches", "searches"}
    assert "over 12 searches" in warning.sentence


def test_too_few_losses_have_no_rank_correlation(study, dataset):
    fewer = study.model_copy(update={"losses": study.losses[:4]})
    (found,) = findings_of(fewer, [replace(dataset, losses=dataset.losses[:4])]).datasets
    codes = {warning.code for warning in find_warnings(found)}
    assert not codes & {"knob-predicts-ranking", "validation-does-not-predict"}


def test_bounds_of_proposals_and_optima(dataset, edit, warned):
    def cornered(loss, corners):
        trials = tuple(
            replace(trial, knobs={**trial.knobs, "scale": 1000.0 if trial.slot in corners else 30.0})
            for trial in loss.searches[1].trials
        )
        return chosen(with_search(loss, number=1, trials=trials), scale=1000.0)

    # Five start-up trials, which count for nothing, and one proposal.
    for corners, expected in (({0, 1, 2}, False), ({5}, True)):
        codes = warned(edit(dataset, circle=partial(cornered, corners=corners)))
        assert ("proposals-on-bounds" in codes) is expected
        assert [(one.search, one.numbers) for one in codes["optimum-on-bound"].about if one.label == "circle"] == [
            (0, {"scale": 1000.0}),
            (1, {"scale": 1000.0}),
        ]
    assert "circle, searches 1 and 2 (scale)" in codes["optimum-on-bound"].sentence
    (about,) = codes["proposals-on-bounds"].about
    assert (about.label, about.search, about.numbers) == ("circle", 1, {"on_bounds": 1, "proposed": 1})


def test_small_integer_ranges_have_no_bounds(dataset):
    search = dataset.losses[0].searches[0]
    trials = tuple(replace(trial, knobs={"n": 1}, source="gp") for trial in search.trials)
    for high, expected in ((9, 0), (10, 6)):
        effort = search_effort(
            "a", replace(search, trials=trials), {"n": IntUniform(int_uniform=(1, high))}, noise=None
        )
        assert (effort.on_bounds, effort.proposed) == (expected, 6)


def test_the_cap_and_iteration_0(dataset, edit, warned):
    def capped(loss):
        (first, second) = loss.searches[0].replicates
        ended = tuple(replace(run, phases=(make_phase(500, cap=500),)) for run in first.fold_runs)
        others = (replace(run, phases=(make_phase(100, cap=500),)) for run in second.fold_runs[1:])
        more = (ended[0], *others)
        both = (replace(first, fold_runs=ended), replace(second, fold_runs=more))
        return with_search(loss, number=0, replicates=both)

    codes = warned(edit(dataset, circle=capped))
    (about,) = codes["ended-by-cap"].about
    assert (about.label, about.search) == ("circle", 0)
    assert about.numbers == {"phase": "normal", "capped": 5, "runs": 8}
    assert "ended-by-cap" not in warned(dataset)

    def idle(loss):
        first, *others = loss.searches[0].replicates
        run = first.fold_runs[0]
        high = replace(run.curve[0], scores={**run.curve[0].scores, "map_at_r": 0.99})
        worse = replace(run, curve=(high, *run.curve[1:]))
        return with_search(loss, replicates=(replace(first, fold_runs=(worse, *first.fold_runs[1:])), *others))

    (about,) = warned(edit(dataset, circle=idle))["iteration-0-best"].about
    assert (about.label, about.numbers) == ("circle", {"runs": 16, "iteration_0_best": 1})


def test_diverged_and_failed(dataset, edit, warned, synthetic):
    def unlucky(loss):
        first, *others = loss.searches[0].trials
        trials = (replace(first, runs=(DIVERGED, *first.runs[1:])), *others)
        replicates = (synthetic.diverge(loss.searches[0].replicates[0], fold=0), loss.searches[0].replicates[1])
        return with_search(loss, trials=trials, replicates=replicates)

    codes = warned(edit(dataset, circle=unlucky))
    assert codes["trials-diverged"].about[0].numbers == {"diverged": 1, "trials": 6}
    assert codes["replicates-diverged"].about[0].numbers == {"diverged": 1, "replicates": 4}

    def failed(loss):
        return with_search(loss, number=1, failed=SearchFailure("ValueError: no", "Traceback"))

    (about,) = warned(edit(dataset, circle=failed))["search-failed"].about
    assert (about.label, about.search, about.numbers) == ("circle", 1, {"reason": "ValueError: no"})


def test_what_the_estimator_doubts(study, dataset):
    (found,) = findings_of(study, [dataset]).datasets
    fit = SimpleNamespace(disagreeing=frozenset({"circle"}), warnings=("Gaps exceed.",), diagnostics={"kappa": 4.5})
    codes = {warning.code: warning for warning in find_warnings(replace(found, fit=fit))}
    assert codes["searches-disagree"].labels == ["circle"]
    means = found.row("circle").cell(found.study.category, found.study.metric).search_means
    assert codes["searches-disagree"].about[0].numbers == {"search 1": means[0], "search 2": means[1]}
    assert codes["estimate-doubtful"].about[0].numbers == {"kappa": 4.5}
    assert codes["estimate-doubtful"].sentence == "Gaps exceed."
    printed = markdown(differences.blocks(replace(found, fit=fit), differences.find(found)))
    assert "κ = 4.50" in printed
    facts = differences.find(replace(found, fit=fit))
    assert differences.SECTION.keys(facts)["diagnostics"] == {"kappa": 4.5}
    (paper,) = differences.SECTION.latex(replace(found, fit=fit), facts)
    assert r"$\kappa$ = 4.50" in latex_table(paper)
    assert "κ" not in markdown(differences.blocks(found, differences.find(found)))
    assert PooledFit.diagnostics.fget(SimpleNamespace()) == {}


def test_every_output_has_every_warning(study, dataset, edit):
    def failed(loss):
        return with_search(loss, number=1, failed=SearchFailure("ValueError: no", "Traceback"))

    evidence = edit(dataset, circle=failed)
    warnings = find_warnings(findings_of(study, [evidence]).datasets[0])
    texts = texts_of(study, [evidence])
    page, latex = Seen(texts["index.html"]).text, texts["tables.tex"]
    listed = json.loads(texts["tables.json"])["datasets"][0]["warnings"]
    assert warnings
    for number, warning in enumerate(warnings, 1):
        assert page.count(warning.code) == texts["tables.md"].count(warning.code) == 2  # the answer, and the list
        assert warning.sentence in page
        said = f"({number}) {warning.sentence}".replace("_", r"\_")
        assert all(said in table for table in latex.split(r"\begin{table")[1:])  # each is read by itself
        assert (listed[number - 1]["code"], listed[number - 1]["sentence"]) == (warning.code, warning.sentence)
    number = next(i for i, warning in enumerate(warnings, 1) if warning.code == "search-failed")
    against = markdown_section(texts["tables.md"], "Against contrastive")
    assert str(number) in markdown_row(against, "circle")[-1].split(", ")
    assert str(number) not in markdown_row(against, "arcface")[-1].split(", ")
    rows = {row["loss"]: row for row in csv.DictReader(io.StringIO(texts["differences.csv"]))}
    assert "search-failed" in rows["circle"]["warnings"].split()
    assert "search-failed" not in rows["arcface"]["warnings"].split()

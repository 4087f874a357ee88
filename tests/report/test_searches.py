from dataclasses import replace

import numpy as np
import pytest

from realitycheck.report.searches import on_bound, summarize_search, treatment

DIVERGED = {"kind": "run", "outcome": "diverged", "cause": "loss is NaN", "best": None, "curve": []}


@pytest.mark.parametrize(
    ("value", "log", "side"),
    [
        (0.01, True, "low"),
        (0.0104, True, "low"),  # log10 is 0.017 above -2 on a range of 2: 0.85 %
        (0.0106, True, None),  # 1.27 %
        (0.02, True, None),
        (0.02, False, None),  # 1.01 % of 0.99
        (0.0199, False, "low"),  # exactly 1 % of 0.99
        (0.99, False, None),
        (0.9902, False, "high"),
        (0.96, True, "high"),  # log10 is 0.0177 below 0
        (1.0, False, "high"),
    ],
)
def test_on_bound_on_the_ranges_own_scale(value, log, side):
    assert on_bound(value, (0.01, 1.0), log=log) == side


def test_whole_numbers_count_by_value():
    assert on_bound(10, (1, 10), log=False) == "high"
    assert on_bound(9, (1, 10), log=False) is None


def test_a_search(study, dataset):
    evidence = dataset.losses[2]
    values = [np.mean(trial.fold_values) for trial in evidence.trials]
    fresh = np.mean([run["best"]["map_at_r"] for each in evidence.replicates for run in each.fold_runs])
    found = summarize_search(study, evidence)
    assert (found.slot, found.finished, found.wanted, found.diverged) == (int(np.argmax(values)), 6, 6, 0)
    assert found.optimism == pytest.approx(max(values) - fresh)


def test_chosen_settings_show_their_ranges(study, dataset):
    knobs = {knob.name: knob for knob in summarize_search(study, dataset.losses[2]).knobs}
    assert list(knobs) == ["trunk_lr", "centres", "kind", "tau"]
    assert (knobs["trunk_lr"].scale, knobs["trunk_lr"].bounds) == ("log", (1e-6, 1e-3))
    assert (knobs["centres"].scale, knobs["centres"].bounds) == ("integer", (1, 10))
    assert (knobs["kind"].scale, knobs["kind"].options, knobs["kind"].on_bound) == (
        "choice",
        ("soft", "hard"),
        None,
    )
    assert (knobs["tau"].scale, knobs["tau"].value, knobs["tau"].bounds) == ("fixed", 0.2, None)


def test_diverged_trials_and_folds(study, dataset):
    evidence = dataset.losses[1]
    first = evidence.replicates[0]
    evidence = replace(
        evidence,
        trials=(replace(evidence.trials[0], value=None), *evidence.trials[1:]),
        trial_runs=((None, DIVERGED, None, None), *evidence.trial_runs[1:]),
        replicates=(replace(first, fold_runs=(DIVERGED, *first.fold_runs[1:])), *evidence.replicates[1:]),
    )
    found = summarize_search(study, evidence)
    assert (found.diverged, found.finished) == (1, 6)
    whole = [run["best"]["map_at_r"] for each in evidence.replicates[1:] for run in each.fold_runs]
    assert found.fresh == pytest.approx(np.mean(whole))


def test_a_search_under_way(study, dataset):
    evidence = replace(dataset.losses[1], chosen=None, replicates=())
    found = summarize_search(study, evidence)
    assert (found.slot, found.value, found.fresh, found.optimism, found.knobs) == (None, None, None, None, ())


def test_treatment(study):
    pairs, proxies = treatment(study, "contrastive"), treatment(study, "soft_triple")
    assert (pairs.classes, pairs.per_class, pairs.searched, pairs.distance) == (8, 4, 3, "euclidean")
    assert (proxies.classes, proxies.per_class, proxies.searched, proxies.distance) == (32, 1, 3, "cosine")

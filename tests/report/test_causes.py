"""Causes of divergence, counted by kind."""

from __future__ import annotations

from dataclasses import replace

from realitycheck.report.searches import divergence_causes


def lost(cause):
    return {"kind": "run", "outcome": "diverged", "cause": cause, "best": None, "curve": []}


def test_alike_causes_count_as_one(dataset):
    runs = (
        lost("the training loss was nan by iteration 125"),
        lost("the training loss was nan by iteration 250"),
        lost("embeddings collapsed to a spread of 1.00e-05 at iteration 125"),
    )
    evidence = replace(dataset.losses[0], trial_runs=(runs,), replicates=())
    assert divergence_causes(evidence) == (("the training loss was nan", 2), ("embeddings collapsed", 1))


def test_nothing_diverged(dataset):
    assert divergence_causes(dataset.losses[0]) == ()

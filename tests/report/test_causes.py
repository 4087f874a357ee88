"""Causes of divergence, counted by kind."""

from __future__ import annotations

from dataclasses import replace

from made_records import make_diverged

from realitycheck.report.sections.search_results import divergence_causes


def test_alike_causes_count_as_one(dataset):
    runs = tuple(
        make_diverged(cause)
        for cause in (
            "the training loss was nan by iteration 125",
            "the training loss was nan by iteration 250",
            "embeddings collapsed to a spread of 1.00e-05 at iteration 125",
        )
    )
    (search,) = dataset.losses[0].searches
    search = replace(search, trials=(replace(search.trials[0], runs=runs),), replicates=())
    assert divergence_causes(search) == (("the training loss was nan", 2), ("embeddings collapsed", 1))


def test_nothing_diverged(dataset):
    assert divergence_causes(dataset.losses[0].searches[0]) == ()

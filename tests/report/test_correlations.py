"""The rank correlations of the test score with what may predict it, printed with every report."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from made_records import with_search
from pages import findings_of, markdown_section, texts_of
from scipy import stats

from realitycheck.report.study_warnings import find_warnings

LABELS = ("contrastive", "circle", "soft_triple", "triplet", "arcface")


def with_rate(loss, rate):
    for search in loss.searches:
        own = replace(search.chosen, knobs={**search.chosen.knobs, "trunk_lr": rate})
        loss = with_search(loss, number=search.number, chosen=own)
    return loss


def test_they_are_printed_without_a_warning(synthetic_study, synthetic_dataset):
    study = synthetic_study(labels=LABELS, seeds=4, trials=6, searches=2)
    dataset = synthetic_dataset(study)
    (found,) = findings_of(study, [dataset]).datasets
    means = {row.label: row.cell(found.study.category, found.study.metric).mean for row in found.rows}
    ranked = sorted(means, key=means.get)
    rates = {label: 1e-6 * 3.0**order for label, order in zip(ranked, (2, 0, 4, 1, 3), strict=True)}
    evidence = replace(dataset, losses=tuple(with_rate(loss, rates[loss.label]) for loss in dataset.losses))
    (changed,) = findings_of(study, [evidence]).datasets
    assert "knob-predicts-ranking" not in {warning.code for warning in find_warnings(changed)}
    values = [np.mean([one.value for one in loss.replicates]) for loss in dataset.losses]
    of_rates = stats.spearmanr([rates[label] for label in ranked], [means[label] for label in ranked]).statistic
    of_values = stats.spearmanr(values, [means[loss.label] for loss in dataset.losses]).statistic
    texts = texts_of(study, [evidence])
    correlations = json.loads(texts["tables.json"])["datasets"][0]["correlations"]
    assert correlations["knobs"]["trunk_lr"]["spearman"] == pytest.approx(of_rates)
    assert correlations["validation"] == {"spearman": pytest.approx(of_values), "losses": 5}
    printed = markdown_section(texts["tables.md"], "What to distrust").replace("−", "-")
    assert all(f"{number:.2f} over 5 losses" in printed for number in (of_rates, of_values))

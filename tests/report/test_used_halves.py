"""What the methods text says of a test half that was used before, and what other scores say of training."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pages import findings_of

from realitycheck.report import helped
from realitycheck.report.writers.methods_text import methods_text

CLEAN = "no class of the test half was used before all searches had ended"


def opened(dataset, number):
    (first,) = dataset.openings
    return replace(dataset, openings=tuple(replace(first, number=place) for place in range(number)))


def test_only_a_half_that_was_opened_once_was_not_used_before(study, dataset):
    assert CLEAN in methods_text(findings_of(study, [opened(dataset, 1)]))
    text = methods_text(findings_of(study, [opened(dataset, 3)]))
    assert CLEAN not in text
    assert "3 openings of the test half of cub200" in text


@pytest.mark.parametrize(("mean", "said"), [(0.99, True), (0.001, False)])
def test_other_scores_in_which_all_losses_are_below_an_untrained_model_are_said(study, dataset, mean, said):
    (findings,) = findings_of(study, [dataset]).datasets
    column = (findings.study.category, "precision_at_1")

    def shown(row):
        cells = [replace(cell, mean=mean) if (cell.category, cell.metric) == column else cell for cell in row.cells]
        return replace(row, cells=tuple(cells))

    changed = replace(findings, untrained=tuple(map(shown, findings.untrained)))
    assert findings.study.metric != "precision_at_1"
    answer = helped.find(changed).answer
    assert ("In P@1 all 3 means are lower than that of the untrained embedder and untrained trunk." in answer) is said

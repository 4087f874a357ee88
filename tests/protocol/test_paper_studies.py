"""The studies of the two papers, as they ship: known names and knobs, and all losses of the published tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from realitycheck import verbs
from realitycheck.plan.cost import trainings
from realitycheck.report.papers.published_tables import published_datasets, published_tables
from realitycheck.report.sections.published import menu_name

STUDIES = Path(__file__).parents[2] / "studies"
TRAININGS = {"musgrave2020": 240, "warped2024": 254}
"""50 trials of 4 folds, 10 seeds of 4 folds, and in the second 10 complete runs, and at most 4 of runners-up."""


@pytest.mark.parametrize("dataset", published_datasets())
@pytest.mark.parametrize(("paper", "protocol"), list(enumerate(TRAININGS)))
def test_the_study_has_the_losses_of_the_table(paper, protocol, dataset):
    read = verbs.load_study(STUDIES / f"{protocol}_{dataset}.yaml")
    assert trainings(read.study.protocol_on(dataset)).total == TRAININGS[protocol]
    table = published_tables(dataset)[paper]
    expected = {loss.ours for block in table.blocks for loss in block.losses if loss.name != "Pretrained"}
    assert {menu_name(loss.address) for loss in read.study.losses} == expected

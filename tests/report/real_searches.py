"""The searches of a finished study, each with all its scores in the study's primary column."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "statistics"))

from error_rates import RULES
from resampled_studies import RealSearch, Searches

from realitycheck.protocol.model import Study
from realitycheck.records.evidence import DatasetEvidence
from realitycheck.report.rows import make_rows
from realitycheck.statistics.base import LossScores, by_search


def searches_of(evidence: DatasetEvidence, study: Study) -> Searches:
    """The finished searches on a dataset, in points, by loss, partition of the folds, and label."""
    protocol, found = study.protocol, {}
    losses = {choice.label: choice.address for choice in study.losses}
    rule = RULES["student_t"](level=0.95, searches=protocol.search.searches)
    rows = make_rows(evidence.losses, protocol, rule, statuses=dict.fromkeys(losses, ""), exploratory=(), late=())
    for number, row in enumerate(rows):
        cell = row.cell(study.primary.category, study.primary.metric)
        scores = getattr(cell, "scores", LossScores(cell.values))
        for partition, values in enumerate(by_search(scores.replicates, searches=protocol.search.searches)):
            if None not in values:
                near = scores.near_best[partition] if scores.near_best else ()
                points = [tuple(100 * value for value in part) for part in (values, near)]
                found[(losses[row.label], partition, number)] = RealSearch(*points)
    return found

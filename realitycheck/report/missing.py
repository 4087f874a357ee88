"""What a study still lacks, one sentence each."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.records.evidence import DatasetEvidence, SearchEvidence
from realitycheck.report.scores import Row
from realitycheck.report.searches import finished_trials
from realitycheck.report.words import count


def missing(evidence: DatasetEvidence, rows: Sequence[Row]) -> tuple[str, ...]:
    """What is still to be done on one dataset; empty once all is there."""
    searches = {loss.label: _search_missing(loss.label, loss.searches[0]) for loss in evidence.losses}
    # Without its search a loss has no replicates to speak of.
    scores = [_scores_missing(row) for row in rows if not searches.get(row.label)]
    return tuple(sentence for sentence in (*searches.values(), *scores) if sentence)


def _search_missing(label: str, search: SearchEvidence) -> str:
    if search.chosen or search.all_trials_diverged:
        return ""
    return f"{label}: {finished_trials(search)} of {count(search.planned, 'trial')} finished."


def _scores_missing(row: Row) -> str:
    worst = max(row.cells, key=lambda cell: cell.pending, default=None)
    if worst is None or not worst.pending:
        return ""
    return f"{row.label}: {worst.pending} of {count(len(worst.values), 'replicate')} without all test scores."

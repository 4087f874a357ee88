"""What a study still lacks, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator

from realitycheck.protocol.model import Protocol
from realitycheck.records.evidence import DatasetEvidence, LossEvidence, SearchEvidence
from realitycheck.report.near_scores import near_best_pending
from realitycheck.report.rows import search_share
from realitycheck.report.wording import count, searched_by


def missing(protocol: Protocol, evidence: DatasetEvidence) -> tuple[str, ...]:
    """List what is still to be done on one dataset; empty once finished."""
    searches = tuple(sentence for loss in evidence.losses for sentence in _searches_missing(loss))
    if not searches and _is_closed(evidence):
        return ("the searches are done, and the test half is closed: there is no test score yet.",)
    rows = (*evidence.losses, *evidence.defaults, *evidence.untrained)
    scores = (
        sentence for row in rows for sentence in _scores_missing(protocol, row, near=row not in evidence.defaults)
    )
    return (*searches, *scores, *_sweeps_missing(evidence))


def _is_closed(evidence: DatasetEvidence) -> bool:
    """Whether the searches are done and nothing else was begun, as after `run --until search`."""
    searches = [search for loss in evidence.losses for search in loss.searches]
    begun = any(replicate.runs for search in searches for replicate in search.replicates)
    return any(search.chosen for search in searches) and not begun and not evidence.openings


def _searches_missing(loss: LossEvidence) -> Iterator[str]:
    for search in loss.searches:
        name = searched_by(loss.label, search.number, searches=len(loss.searches))
        if search.failed:
            yield f"{name}: FAILED, {search.failed}."
        elif _choosing(search):
            yield f"{name}: {finished_trials(search)} of {count(search.planned, 'trial')} finished."


def _scores_missing(protocol: Protocol, row: LossEvidence, *, near: bool) -> Iterator[str]:
    """Of searches that have chosen; before that there are no replicates. With `near`, of runners-up as well."""
    columns = [(category, metric) for category in protocol.categories for metric in protocol.metrics]
    for search in row.searches:
        shares = [search_share(row, search, protocol, category=category, metric=metric) for category, metric in columns]
        worst = max(shares, key=lambda share: share.pending, default=None)
        if worst and worst.pending and not _choosing(search):
            name = searched_by(row.label, search.number, searches=len(row.searches))
            yield f"{name}: {worst.pending} of {count(len(worst.values), 'replicate')} without all test scores."
        if near:
            yield from _near_best_missing(protocol, row, search)


def _near_best_missing(protocol: Protocol, row: LossEvidence, search: SearchEvidence) -> Iterator[str]:
    if not protocol.interval.runners_up or search.chosen is None:
        return
    name = searched_by(row.label, search.number, searches=len(row.searches))
    if not search.near_best:
        yield f"{name}: the runners-up are not decided."
    pending = sum(
        any(near_best_pending(search, place, protocol, category) for category in protocol.categories)
        for place in range(len(search.near_best))
    )
    if pending:
        yield f"{name}: {pending} of {count(len(search.near_best), 'near-best setting')} without all test scores."


def _sweeps_missing(evidence: DatasetEvidence) -> Iterator[str]:
    for knob in evidence.sweeps:
        pending = sum(point.pending for point in knob.points)
        if pending:
            yield f"{knob.label}: {count(pending, 'fold run')} of the sweep over {knob.knob} missing."


def _choosing(search: SearchEvidence) -> bool:
    """Whether the search is still under way; the untrained models have none."""
    return search.chosen is None and bool(search.planned) and not search.all_trials_diverged


def finished_trials(search: SearchEvidence) -> int:
    """Count the trials that have a value or diverged."""
    return sum(trial.diverged or trial.value is not None for trial in search.trials)

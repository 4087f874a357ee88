"""`todo`, kept up to date record by record: only the search that a record belongs to is evaluated again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from realitycheck.executors.base import Job
from realitycheck.plan.searches import UNTRAINED, SearchPlan
from realitycheck.plan.specs import DatasetPlan
from realitycheck.records.evidence import LossEvidence, SearchEvidence
from realitycheck.records.gather import counted_losses, near_evidence, search_evidence
from realitycheck.records.near_settings import validation_noise
from realitycheck.records.nearest_images import NeighborLists
from realitycheck.records.neighbor_lists import declared_distance, may_be_listed
from realitycheck.records.schema import Opening, Record, Run, Score
from realitycheck.records.swept_evidence import swept_runs
from realitycheck.runs import CLEAN, Stage
from realitycheck.search.schedule import (
    Known,
    counted_searches,
    opening_jobs,
    search_jobs,
    spent_trials,
    untrained_jobs,
)
from realitycheck.search.spent_weights import spent_weights


@dataclass(slots=True)
class _Board:
    """One dataset of the agenda: its plan, the jobs of its groups, and the evidence of its searches by group.

    `noise` is that of `Known`.
    """

    plan: DatasetPlan
    jobs: dict[str, list[Job]]
    searches: dict[str, SearchEvidence]
    noise: float | None = None
    set_aside: set[str] = field(default_factory=set)
    """Labels of the losses of which a job was given up."""


class Agenda:
    """What may start now, over all datasets of a study.

    Args:
        plans: one per dataset.
        records: what is known at the start.
        weights: ids of the runs whose weights are stored.
        copied: as in `Known`.
    """

    def __init__(
        self,
        plans: Sequence[DatasetPlan],
        records: Iterable[Record],
        weights: Iterable[str],
        *,
        copied: Collection[str] = (),
    ) -> None:
        self.records = {record.id: record for record in records}
        self.weights = set(weights)
        self._copied = copied
        self._turns: Counter[str] = Counter()
        self._boards = {plan.dataset: _Board(plan, {}, {}) for plan in plans}
        for board in self._boards.values():
            self._refresh_all(board)

    def ready(self) -> Iterator[Job]:
        """The jobs that may start now, groups in turn, the one with the fewest records first: losses keep pace."""
        waiting = [(group, jobs) for board in self._boards.values() for group, jobs in board.jobs.items() if jobs]
        queues = [list(jobs) for _, jobs in sorted(waiting, key=lambda entry: self._turns[entry[0]])]
        while queues:
            for queue in queues:
                yield queue.pop(0)
            queues = [queue for queue in queues if queue]

    def accept(self, job: Job, record: Record, *, weights_stored: bool) -> tuple[str, ...]:
        """Take in a record; the ids of the runs whose weights are no longer needed.

        Args:
            job: what was asked.
            record: what came of it.
            weights_stored: whether the job was carried out, so that the weights of a run that keeps them are stored; a
                copied record has none.
        """
        self.records[record.id] = record
        board = self._boards[job.group.split("/")[0]]
        self._turns[job.group if job.group in board.jobs else self._untrained(board)] += 1
        if weights_stored and isinstance(record, Run) and job.payload["keep"]:
            self.weights.add(record.id)
        decided = board.noise is not None
        if isinstance(record, Opening):
            self._refresh_all(board)
        else:
            self._refresh(board, job.group)
        spent = self._spent_by(board, job.group, record) if isinstance(record, Score | NeighborLists) else ()
        every = isinstance(record, Opening) or decided is not (board.noise is not None)
        return (*spent, *self._spent_trials(board, list(board.searches) if every else [job.group]))

    def recount(self, weights: Iterable[str]) -> None:
        """Replace what is known of the weights: some may have been lost or found damaged."""
        self.weights = set(weights)
        for board in self._boards.values():
            self._refresh_all(board)

    def undecided(self, *, first: int) -> dict[str, int]:
        """Group of each search without a record of a trial's run → number of fold runs of its first trials."""
        return {
            group: min(first, search.planned) * board.plan.protocol.folds.count
            for board in self._boards.values()
            for group, search in board.searches.items()
            if not any(search.runs(Stage.SEARCH))
        }

    def set_aside(self, group: str) -> bool:
        """Let the test half open without the loss of a search; False where the group is that of no search."""
        board = self._boards[group.split("/")[0]]
        label = next((one.label for one in board.plan.losses for its in one.searches if its.group == group), None)
        if label is None:
            return False
        board.set_aside.add(label)
        self._refresh_all(board)
        return True

    def has_runs(self, group: str) -> bool:
        """Whether a run of a search is recorded."""
        return any(self._boards[group.split("/")[0]].searches[group].runs(Stage.SEARCH))

    def search_id(self, group: str) -> str:
        """The digest of a search."""
        return self._boards[group.split("/")[0]].searches[group].id

    def withdraw(self, group: str, record_ids: Iterable[str]) -> None:
        """Set the loss of a search aside, and forget records that were accepted and are not written."""
        for record_id in record_ids:
            del self.records[record_id]
        self.set_aside(group)

    def losses(self, dataset: str) -> tuple[LossEvidence, ...]:
        """The evidence of a dataset's losses, in the study's order."""
        board = self._boards[dataset]
        return tuple(
            LossEvidence(
                label=loss.label,
                distance=loss.choice.distance if loss.choice else "cosine",
                evaluation=CLEAN,
                searches=tuple(board.searches[search.group] for search in loss.searches),
            )
            for loss in board.plan.losses
        )

    def swept(self, dataset: str) -> dict[str, tuple[int, int]]:
        """Label → runs of its sweeps that are recorded, and how many there are at most; empty without sweeps."""
        plan = self._boards[dataset].plan
        if plan.study.sweep is None:
            return {}
        firsts = [loss.searches[0] for loss in plan.losses]
        searches = self._boards[dataset].searches
        return {one.label: swept_runs(plan, one, searches[one.group], self.records) for one in firsts}

    def _spent_by(self, board: _Board, group: str, record: Score | NeighborLists) -> tuple[str, ...]:
        """The runs whose weights are not needed after this record: no other score and no list of neighbours waits.

        With a list, they are those of all replicates of its row: any of them may have waited for it. Some are named a
        second time then.
        """
        scores: list[Score | NeighborLists] = [record]
        waiting: tuple[str, ...] = ()
        search = next(one for one in (*board.plan.searches, *board.plan.untrained.searches) if one.group == group)
        if search.number == 0:  # it makes the list of its row
            evidence = board.searches.get(group) or search_evidence(board.plan, search, self.records)
            waiting = may_be_listed(board.plan, evidence, declared_distance(search), self.records)
            if isinstance(record, NeighborLists):
                pairs = [pair for one in evidence.replicates for pair in one.scores.values()]
                own = [pair.complete if board.plan.protocol.completes else pair.folds for pair in pairs]
                scores += [score for score in own if score]
        spent = [model for score in scores for model in spent_weights(board.plan, score, self.records)]
        return tuple(model for model in dict.fromkeys(spent) if model not in waiting)

    def _spent_trials(self, board: _Board, groups: Collection[str]) -> tuple[str, ...]:
        """The runs of trials whose weights no score can need; they then count as not stored."""
        known = self._known(board)
        spent = [
            run_id
            for search in board.plan.searches
            if search.group in groups
            for run_id in spent_trials(search, board.searches[search.group], known)
        ]
        self.weights -= set(spent)
        return tuple(spent)

    def _untrained(self, board: _Board) -> str:
        return f"{board.plan.dataset}/{UNTRAINED}"

    def _known(self, board: _Board) -> Known:
        opened = board.plan.opening_id in self.records
        return Known(self.records, self.weights, opened=opened, noise=board.noise, copied=self._copied)

    def _refresh_all(self, board: _Board) -> None:
        for search in board.plan.searches:
            board.searches[search.group] = search_evidence(board.plan, search, self.records)
        board.noise = self._noise(board)
        for search in board.plan.searches:
            self._refresh_search(board, search)
        self._refresh_untrained(board)
        self._refresh_opening(board)

    def _refresh(self, board: _Board, group: str) -> None:
        search = next((search for search in board.plan.searches if search.group == group), None)
        if search is None:
            self._refresh_untrained(board)
        else:
            self._refresh_search(board, search)
            if board.noise is None and self._noise(board) is not None:
                self._refresh_all(board)
            self._refresh_opening(board)

    def _refresh_search(self, board: _Board, search: SearchPlan) -> None:
        before = board.searches.get(search.group)
        evidence = search_evidence(board.plan, search, self.records, before=before)
        if board.noise is not None:
            evidence = near_evidence(board.plan, search, evidence, noise=board.noise, records=self.records)
        board.searches[search.group] = evidence
        board.jobs[search.group] = search_jobs(board.plan, search, evidence, self._known(board))

    def _refresh_untrained(self, board: _Board) -> None:
        board.jobs[self._untrained(board)] = untrained_jobs(board.plan, self._known(board))

    def _refresh_opening(self, board: _Board) -> None:
        labels = counted_losses(board.plan, self.records, set_aside=board.set_aside)
        board.jobs[board.plan.dataset] = opening_jobs(board.plan, board.searches, self.records, labels=labels)

    def _noise(self, board: _Board) -> float | None:
        labels = counted_losses(board.plan, self.records, set_aside=board.set_aside)
        return validation_noise(board.plan.protocol, counted_searches(board.plan, board.searches, labels))

"""`todo`, kept up to date record by record: only the group that a record belongs to is looked at again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from realitycheck.executors.base import Job
from realitycheck.plan.specs import DatasetPlan, LossPlan
from realitycheck.records.evidence import LossEvidence, loss_evidence
from realitycheck.runs import Body, Stage
from realitycheck.search.todo import loss_jobs, opening_jobs, spent_weights, untrained_jobs


@dataclass(slots=True)
class _Board:
    """One dataset of the agenda: its plan, its groups' jobs, and the losses' evidence."""

    plan: DatasetPlan
    jobs: dict[str, list[Job]]
    views: dict[str, LossEvidence]


class Agenda:
    """What may start now, over all datasets of a study.

    Args:
        plans: one per dataset.
        records: what is known at the start.
        weights: ids of the runs whose weights are at hand.
    """

    def __init__(self, plans: Sequence[DatasetPlan], records: Iterable[Body], weights: Iterable[str]) -> None:
        self.records = {body["id"]: body for body in records}
        self.weights = set(weights)
        self._turns: Counter[str] = Counter()
        self._boards = {plan.dataset: _Board(plan, {}, {}) for plan in plans}
        for board in self._boards.values():
            self._refresh_all(board)

    def ready(self) -> Iterator[Job]:
        """The jobs that may start now, groups in turn, the one with the fewest records first: losses keep pace."""
        waiting = [(group, jobs) for board in self._boards.values() for group, jobs in board.jobs.items() if jobs]
        queues = [list(jobs) for _, jobs in sorted(waiting, key=lambda each: self._turns[each[0]])]
        while queues:
            for queue in queues:
                yield queue.pop(0)
            queues = [queue for queue in queues if queue]

    def accept(self, job: Job, body: Body, *, made_here: bool) -> tuple[str, ...]:
        """Take in a record; the ids of the runs whose weights are no longer needed.

        Args:
            job: what was asked.
            body: the record.
            made_here: whether the job was carried out, so that a final run's weights are at hand; a copy has none.
        """
        self.records[body["id"]] = body
        self._turns[job.group] += 1
        board = self._boards[job.group.split("/")[0]]
        if made_here and body["kind"] == "run" and body["spec"]["stage"] == Stage.FINAL:
            self.weights.add(body["id"])
        if body["kind"] == "opening":
            self._refresh_all(board)
        else:
            self._refresh(board, job.group)
        return spent_weights(board.plan, body, self.records) if body["kind"] == "score" else ()

    def recount(self, weights: Iterable[str]) -> None:
        """Take stock of the weights again: some may have been lost or found damaged."""
        self.weights = set(weights)
        for board in self._boards.values():
            self._refresh_all(board)

    def views(self, dataset: str) -> tuple[LossEvidence, ...]:
        """The evidence of a dataset's losses, in the study's order."""
        board = self._boards[dataset]
        return tuple(board.views[loss.group] for loss in board.plan.losses)

    def _refresh_all(self, board: _Board) -> None:
        for loss in board.plan.losses:
            self._refresh_loss(board, loss)
        self._refresh_untrained(board)
        self._refresh_opening(board)

    def _refresh(self, board: _Board, group: str) -> None:
        loss = next((each for each in board.plan.losses if each.group == group), None)
        if loss is None:
            self._refresh_untrained(board)
        else:
            self._refresh_loss(board, loss)
            self._refresh_opening(board)

    def _refresh_loss(self, board: _Board, loss: LossPlan) -> None:
        view = loss_evidence(board.plan, loss, self.records)
        board.views[loss.group] = view
        opened = board.plan.opening_id in self.records
        board.jobs[loss.group] = loss_jobs(board.plan, loss, view, self.records, self.weights, opened=opened)

    def _refresh_untrained(self, board: _Board) -> None:
        opened = board.plan.opening_id in self.records
        group = board.plan.untrained.group
        board.jobs[group] = untrained_jobs(board.plan, self.records, self.weights, opened=opened)

    def _refresh_opening(self, board: _Board) -> None:
        views = list(board.views.values())
        board.jobs[board.plan.dataset] = opening_jobs(board.plan, views, self.records)

"""The provenance page: wall time, machines and failed attempts, which are no evidence."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realitycheck.records.chosen_trial import selection_id
from realitycheck.records.evidence import DatasetEvidence, LossEvidence
from realitycheck.records.schema import Run, Score, proposal_id
from realitycheck.report.blocks import Block, Column, Content, Folded, Heading, Link, Marked, Paragraph, Table, rows_of
from realitycheck.report.findings import Findings
from realitycheck.report.wording import DASH, count
from realitycheck.runs import CLEAN, Stage

KINDS = (
    *("proposal", "selection", "search fold run", "final fold run", "complete run"),
    *("score of fold models", "score of complete"),
)
"""The kinds of jobs, in the order of a study."""

FIRST_COLUMNS = ("time", "kind", "title", "id", "host", "device", "seconds", "attempt", "reason")
"""The first columns of the log, where attempts have them; other keys follow by name."""


@dataclass(frozen=True, slots=True)
class Durations:
    """Duration of the jobs of one loss on one dataset: the median of each of `KINDS` in seconds, or None."""

    dataset: str
    label: str
    medians: tuple[float | None, ...]
    jobs: int


def provenance_blocks(findings: Findings, attempts: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    """The blocks of the page."""
    yield Heading(1, "Provenance", kicker=f"Reality Check · study {findings.study.study}")
    yield Paragraph(
        (
            "When and where the results were made, and what failed on the way. Nothing here changes a number of the ",
            Link("report", "index.html"),
            ". Unlike the report, this page differs whenever the results are made anew.",
        )
    )
    spent = durations([dataset.evidence for dataset in findings.datasets], attempts)
    if spent:
        yield Heading(2, "Wall time")
        yield _durations_table(findings, spent)
    made = machines(attempts)
    if made:
        yield Heading(2, "Machines")
        yield from _machine_blocks(made)
    if ways := step_counts(attempts):
        yield Heading(2, "CUDA graphs")
        yield Table(
            (Column("Steps of a run"), Column("Runs", number=True)),
            rows_of([[way, str(count)] for way, count in ways]),
            caption="How the steps of finished runs were computed, where `--graphs` was given. The bits are the same.",
        )
    if attempts:
        yield Heading(2, "Log")
        yield _log_table(attempts)
    else:
        yield Paragraph("There is no entry: the report was made from a packed ledger without its attempts.")


def machines(attempts: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Collect the times of finished jobs by the machine that did them, in the order of their first one."""
    times: dict[str, list[str]] = {}
    for attempt in attempts:
        if attempt.get("kind") == "done" and attempt.get("machine"):
            times.setdefault(str(attempt["machine"]), []).append(str(attempt.get("time", "")))
    return times


def step_counts(attempts: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Count finished runs by the way in which their steps were computed, the most frequent first."""
    done = (attempt for attempt in attempts if attempt.get("kind") == "done" and attempt.get("steps"))
    return Counter(str(attempt["steps"]) for attempt in done).most_common()


def _machine_blocks(made: Mapping[str, Sequence[str]]) -> Iterator[Block]:
    yield Table(
        (Column("Processor and versions"), Column("Jobs", number=True), Column("First"), Column("Last")),
        rows_of([[name, str(len(times)), min(times), max(times)] for name, times in made.items()]),
        caption="What finished jobs were done with.",
    )
    if len(made) > 1:
        yield Paragraph(
            f"The results come from {len(made)} kinds of machine: {'; '.join(made)}. Within one class of arithmetic "
            "another processor or another version can change last bits; `doctor` compares a machine with the reference."
        )


def durations(evidence: Sequence[DatasetEvidence], attempts: Iterable[Mapping[str, Any]]) -> list[Durations]:
    """Collect the durations of each dataset and loss with a finished attempt."""
    seconds: dict[str, list[float]] = {}
    for attempt in attempts:
        if attempt.get("kind") == "done" and isinstance(attempt.get("seconds"), int | float):
            seconds.setdefault(str(attempt.get("id")), []).append(attempt["seconds"])
    by_loss = [_of_loss(dataset.dataset, loss, seconds) for dataset in evidence for loss in dataset.losses]
    return [spent for spent in by_loss if spent.jobs]


def _durations_table(findings: Findings, spent: Sequence[Durations]) -> Table:
    kinds = (kind.capitalize() for kind in KINDS)
    rows: list[list[Content]] = [
        [
            line.dataset,
            Marked(line.label, findings.study.loss_marks(line.label)),
            *(DASH if median is None else f"{median:.2f}" for median in line.medians),
            str(line.jobs),
        ]
        for line in spent
    ]
    return Table(
        (Column("Dataset"), Column("Loss"), *(Column(kind, number=True) for kind in (*kinds, "Jobs"))),
        rows_of(rows),
        caption="Median seconds of a job, of those that were carried out for this study. Jobs that run at the same "
        "time slow each other down.",
    )


def _log_table(attempts: Sequence[Mapping[str, Any]]) -> Table:
    keys = {key for attempt in attempts for key in attempt}
    columns = [key for key in FIRST_COLUMNS if key in keys] + sorted(keys - set(FIRST_COLUMNS))
    return Table(
        tuple(Column(column) for column in columns),
        rows_of([[_log_cell(attempt, column) for column in columns] for attempt in attempts]),
        caption=f"{count(len(attempts), 'entry', 'entries')}, in the order of the log.",
        prose=True,
    )


def _log_cell(attempt: Mapping[str, Any], column: str) -> Content:
    text = str(attempt.get(column, ""))
    return Folded(text) if column == "traceback" and text else text


def _of_loss(dataset: str, loss: LossEvidence, seconds: Mapping[str, Sequence[float]]) -> Durations:
    by_kind = [[second for id in ids for second in seconds.get(id, ())] for ids in _ids(loss)]
    medians = tuple(statistics.median(spent) if spent else None for spent in by_kind)
    return Durations(dataset, loss.label, medians, sum(map(len, by_kind)))


def _ids(loss: LossEvidence) -> tuple[list[str], ...]:
    """Ids of records by `KINDS`."""
    scores = [replicate.scores[CLEAN] for replicate in loss.replicates if CLEAN in replicate.scores]
    return (
        [proposal_id(search.id, trial.slot) for search in loss.searches for trial in search.trials],
        [selection_id(search.id, len(search.means)) for search in loss.searches if search.means],
        _ids_of(loss.runs(Stage.SEARCH)),
        _ids_of(run for replicate in loss.replicates for run in replicate.fold_runs),
        _ids_of(replicate.complete_run for replicate in loss.replicates),
        _ids_of(score.folds for score in scores),
        _ids_of(score.complete for score in scores),
    )


def _ids_of(records: Iterable[Run | Score | None]) -> list[str]:
    return [record.id for record in records if record]

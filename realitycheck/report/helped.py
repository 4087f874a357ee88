"""Whether training helped: every loss against the untrained models, and the runs whose initial weights were best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from realitycheck.records.evidence import LossEvidence
from realitycheck.records.schema import Run
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.rows import ScoreCell, ScoreRow
from realitycheck.report.warning_records import FEW
from realitycheck.report.wording import enumeration, metric_name, points
from realitycheck.runs import Stage
from realitycheck.statistics.agreement import agreed
from realitycheck.statistics.base import Estimator
from realitycheck.statistics.comparisons import Verdict
from realitycheck.statistics.estimators import estimator
from realitycheck.statistics.untrained import Gain, gains


@dataclass(frozen=True, slots=True)
class Helped:
    """Whether training helped.

    Args:
        gains: label of an untrained row → one gain per loss, in the study's order.
        first_best: label of a loss → completed fold runs of its replicates, and those whose weights of iteration 0
            validate better than every later checkpoint.
        answer: the result in sentences.
    """

    gains: dict[str, tuple[Gain, ...]]
    first_best: dict[str, tuple[int, int]]
    answer: str


def find(dataset: DatasetFindings) -> Helped | None:
    """Compare the losses with every untrained row that has scores, in the primary category and metric."""
    known = {row.label: _gains(dataset, row) for row in dataset.untrained if _cell(dataset, row).n}
    if not known:
        return None
    counts = {loss.label: _first_best(loss) for loss in dataset.evidence.losses}
    return Helped(known, counts, _answer(dataset, known, counts))


def _gains(dataset: DatasetFindings, row: ScoreRow) -> tuple[Gain, ...]:
    """Compare every loss with one untrained row; a verdict counts only if it survives the luck of the search."""
    own = dataset.study.estimator
    gained = _gained(dataset, row, own)
    if not own.needs_agreement:
        return gained
    assert own.beside is not None
    beside = estimator(own.beside, level=own.level, searches=own.searches)
    return tuple(agreed(gained, _gained(dataset, row, beside)))


def _gained(dataset: DatasetFindings, row: ScoreRow, rule: Estimator) -> tuple[Gain, ...]:
    cells = {loss.label: _cell(dataset, loss) for loss in dataset.rows}
    return tuple(
        gains(
            {label: cell.scores for label, cell in cells.items()},
            untrained=_cell(dataset, row).values,
            pending={label for label, cell in cells.items() if cell.pending or _cell(dataset, row).pending},
            estimator=rule,
        )
    )


def _cell(dataset: DatasetFindings, row: ScoreRow) -> ScoreCell:
    return row.cell(dataset.study.category, dataset.study.metric)


def _first_best(loss: LossEvidence) -> tuple[int, int]:
    runs = [run for run in loss.runs(Stage.FINAL) if run.best is not None and len(run.curve) > 1]
    return len(runs), sum(map(_began_best, runs))


def _began_best(run: Run) -> bool:
    """Whether the initial weights validate better than every later checkpoint."""
    value = run.value
    return value is not None and run.curve[0].scores["map_at_r"] > value


def _answer(dataset: DatasetFindings, known: dict[str, tuple[Gain, ...]], counts: dict[str, tuple[int, int]]) -> str:
    sentences = [_sentence(dataset, label, gained) for label, gained in known.items()]
    idle = [label for label, (runs, best) in counts.items() if runs and 2 * best > runs]
    if idle:
        names = enumeration([dataset.study.shown(label) for label in idle])
        sentences.append(f"In most fold runs of {names} the initial weights validate better than every checkpoint.")
    return " ".join([*sentences, *_elsewhere(dataset)])


def _elsewhere(dataset: DatasetFindings) -> Iterator[str]:
    """The other scores of the primary category in which every loss has a lower mean than an untrained model."""
    study = dataset.study
    for metric in (name for name in dataset.metrics if name != study.metric):
        means = [row.cell(study.category, metric).mean for row in dataset.rows]
        known = [mean for mean in means if mean is not None]
        bases = {row.label: row.cell(study.category, metric).mean for row in dataset.untrained}
        above = [label for label, base in bases.items() if base is not None and known and base > max(known)]
        if above and len(known) == len(means) > 1:
            yield f"In {metric_name(metric)} all {len(known)} means are lower than that of the {enumeration(above)}."


def _sentence(dataset: DatasetFindings, untrained: str, gained: Sequence[Gain]) -> str:
    """`10 of 12 losses are better than the untrained embedder; worse: triplet; undecided: circle.`"""
    groups = {
        verdict: [dataset.study.shown(gain.label) for gain in gained if gain.verdict is verdict]
        for verdict in (Verdict.BETTER, Verdict.WORSE, Verdict.UNDECIDED, None)
    }
    better, total = len(groups[Verdict.BETTER]), len(gained)
    head = f"{better} of {total} losses are" if total > 1 else f"{better} of 1 loss is"
    parts = [f"{head} better than the {untrained}"]
    for verdict, words in ((Verdict.WORSE, "worse"), (Verdict.UNDECIDED, "undecided"), (None, "not finished")):
        if groups[verdict]:
            every = len(groups[verdict]) == total > FEW
            parts.append(f"{words}: {f'all {total}' if every else enumeration(groups[verdict])}")
    return f"{'; '.join(parts)}.{lower_means(gained)}"


def lower_means(gained: Sequence[Gain]) -> str:
    """That the means of all losses are lower than that of the untrained model, where it is so."""
    below = [-gain.mean for gain in gained if gain.mean is not None and gain.mean < 0]
    if len(below) < max(2, len(gained)):
        return ""
    return f" All {len(below)} means are lower, by {points(min(below))} to {points(max(below))} points."

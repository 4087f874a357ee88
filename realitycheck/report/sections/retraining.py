"""The retraining: validation curves, and how runs ended, by patience or by the cap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from realitycheck.protocol.model import Phase, Protocol
from realitycheck.records.curves import PhaseEnd
from realitycheck.records.evidence import LossEvidence, SearchEvidence
from realitycheck.records.schema import Run
from realitycheck.report.blocks import Block, Column, Content, Heading, Marked, Paragraph, RowGroup, Table, rows_of
from realitycheck.report.findings import DatasetFindings, found_once
from realitycheck.report.sections.base import Section
from realitycheck.report.sections.curve_figure import curve_figure
from realitycheck.report.wording import enumeration, searched_by, stretch, thousands
from realitycheck.runs import Stage


@dataclass(frozen=True, slots=True)
class Tally:
    """The completed fold runs of one stage.

    Args:
        runs: those that went through the phase.
        capped: those of them that the cap ended.
        rising: those of these with their best at the last evaluation.
    """

    runs: int
    capped: int
    rising: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How the runs of one search of a loss, and of the replicates of its setting, ended one phase.

    Args:
        label: the loss.
        number: which of its searches, from 0.
        phase: `normal` or `followup`.
        cap: its cap in iterations.
        final: the fold runs of the replicates.
        search: the fold runs of the trials.
        complete: iterations of this phase in each complete run.
    """

    label: str
    number: int
    phase: str
    cap: int
    final: Tally
    search: Tally
    complete: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Retraining:
    """How the runs of all losses ended.

    Args:
        endings: one per search and phase.
        capped: what follows where the cap ended most runs of a loss, and where complete runs have no normal phase; else
            empty.
    """

    endings: tuple[Ending, ...]
    capped: str


@found_once
def find(dataset: DatasetFindings) -> Retraining:
    """Count how the runs of every loss ended."""
    ended = tuple(ending for loss in dataset.evidence.losses for ending in endings(loss, dataset.protocol))
    warnings = (sentence(ended, shown=dataset.study.shown) for sentence in (cap_sentence, skipped_sentence))
    return Retraining(ended, " ".join(filter(None, warnings)))


def endings(evidence: LossEvidence, protocol: Protocol) -> tuple[Ending, ...]:
    """The endings of one loss: one for each search and each phase of the protocol."""
    return tuple(_ending(evidence.label, search, phase) for search in evidence.searches for phase in protocol.phases)


def cap_sentence(facts: Sequence[Ending], *, shown: Callable[[str], str]) -> str:
    """State what follows where the cap ended most final fold runs of a loss; empty where it did so for none."""
    cut = [ending for ending in facts if 2 * ending.final.capped > ending.final.runs]
    if not cut:
        return ""
    labels, all_labels = list(dict.fromkeys(ending.label for ending in cut)), {ending.label for ending in facts}
    losses = "every loss" if all_labels <= set(labels) else enumeration([shown(label) for label in labels])
    caps = enumeration([thousands(cap) for cap in sorted({ending.cap for ending in cut})])
    return (
        f"Most final fold runs of {losses} stopped at the cap of {caps} iterations, before early stopping. The "
        "comparison then holds for training within the cap, not for training until convergence."
    )


def skipped_sentence(facts: Sequence[Ending], *, shown: Callable[[str], str]) -> str:
    """State which losses have complete runs with a follow-up and no normal phase; empty where none has.

    Rule `appendix_d` rounds the total and the follow-up length separately, and their difference may be 0.
    """
    skipped = skipped_labels(facts)
    if not skipped:
        return ""
    labels = enumeration([shown(label) for label in skipped])
    return (
        f"Complete runs of {labels} have no normal phase: the follow-up length, rounded up, is as long as the total. "
        "They train with the settings of the second phase from the start, which no fold run did."
    )


def skipped_labels(facts: Sequence[Ending]) -> list[str]:
    """Labels of the losses with complete runs that have a follow-up and no normal phase."""
    first = {(ending.label, ending.number): ending.complete for ending in facts if ending.phase == "normal"}
    longer = (one for one in facts if len(one.complete) > len(first.get((one.label, one.number), ())))
    return list(dict.fromkeys(ending.label for ending in longer))


def blocks(dataset: DatasetFindings, facts: Retraining) -> Iterator[Block]:
    """Print the curves and the table of endings."""
    curves = any(
        run for loss in dataset.evidence.losses for replicate in loss.replicates for run in replicate.fold_runs
    )
    ended = any(ending.final.runs or ending.search.runs for ending in facts.endings)
    if curves or ended:
        yield Heading(3, "Retraining")
    if curves:
        yield curve_figure(dataset)
    if ended:
        yield _table(dataset, facts)
    if ended and facts.capped:
        yield Paragraph(facts.capped)


def _table(dataset: DatasetFindings, facts: Retraining) -> Table:
    phases = len(dataset.protocol.phases)
    stages = [
        Column(head, number=True, group=stage)
        for stage in ("Final fold runs", "Fold runs of the search")
        for head in ("at the cap", "best at the end")
    ]
    columns = (
        *(Column("Loss"), *([Column("Phase")] if phases > 1 else []), Column("Cap", number=True)),
        *(*stages, Column("iterations", number=True, group="Complete runs")),
    )
    return Table(
        columns,
        _groups(dataset, facts, phases=phases),
        caption="At the cap: completed fold runs that reached the cap before early stopping. Best at the end: those of "
        "them whose last evaluation was their best, so that they were probably still improving.",
    )


def _groups(dataset: DatasetFindings, facts: Retraining, *, phases: int) -> tuple[RowGroup, ...]:
    """One group per search where it has several phases, else one group of all."""
    if phases == 1:
        return rows_of([(_name(dataset, ending), *_line(ending, phases=1)) for ending in facts.endings])
    groups = (facts.endings[start : start + phases] for start in range(0, len(facts.endings), phases))
    return tuple(
        RowGroup(tuple(_line(ending, phases=phases) for ending in group), head=_name(dataset, group[0]))
        for group in groups
    )


def _name(dataset: DatasetFindings, ending: Ending) -> Marked:
    study, label = dataset.study, ending.label
    return Marked(searched_by(label, ending.number, searches=study.searches), study.loss_marks(label))


def _line(ending: Ending, *, phases: int) -> tuple[Content, ...]:
    phase = "follow-up" if ending.phase == "followup" else ending.phase
    tallies = ((f"{tally.capped} of {tally.runs}", str(tally.rising)) for tally in (ending.final, ending.search))
    counts = [text for pair in tallies for text in pair]
    return (*([phase] if phases > 1 else []), thousands(ending.cap), *counts, stretch(ending.complete))


def _ending(label: str, search: SearchEvidence, phase: Phase) -> Ending:
    finals = [run for replicate in search.replicates for run in replicate.fold_runs]
    complete = _phases_of([replicate.complete_run for replicate in search.replicates], phase.name)
    return Ending(
        label=label,
        number=search.number,
        phase=phase.name,
        cap=phase.cap,
        final=_tally(_phases_of(finals, phase.name)),
        search=_tally(_phases_of(search.runs(Stage.SEARCH), phase.name)),
        complete=tuple(end.iterations for end in complete),
    )


def _phases_of(runs: Iterable[Run | None], name: str) -> list[PhaseEnd]:
    done = [run for run in runs if run is not None and not run.diverged]
    return [end for run in done for end in run.phases if end.name == name]


def _tally(ends: Sequence[PhaseEnd]) -> Tally:
    capped = [end for end in ends if end.stop == "cap"]
    rising = [end for end in capped if end.best_iteration == end.iterations]
    return Tally(len(ends), len(capped), len(rising))


SECTION = Section(
    name="retraining",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
    keys=lambda facts: {"endings": facts.endings, "capped": facts.capped},
)

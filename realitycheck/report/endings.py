"""How runs ended: by patience, or cut off by the cap while still getting better."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from realitycheck.protocol.model import Phase, Protocol
from realitycheck.records.curves import PhaseEnd
from realitycheck.records.evidence import LossEvidence, SearchEvidence
from realitycheck.records.schema import Run
from realitycheck.report.words import enumeration, thousands
from realitycheck.runs import Stage


@dataclass(frozen=True, slots=True)
class Tally:
    """The completed fold runs of one stage.

    Args:
        runs: those that went through the phase.
        capped: those of them that the cap ended.
        rising: those of these whose best came at the last evaluation.
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


def endings(evidence: LossEvidence, protocol: Protocol) -> tuple[Ending, ...]:
    """One for each search of the loss and each phase of the protocol."""
    return tuple(_ending(evidence.label, search, phase) for search in evidence.searches for phase in protocol.phases)


def cap_sentence(found: Sequence[Ending], *, shown: Callable[[str], str]) -> str:
    """What to make of it where the cap ended most final fold runs of a loss; empty where it did so for none."""
    cut = [each for each in found if 2 * each.final.capped > each.final.runs]
    if not cut:
        return ""
    labels, every = list(dict.fromkeys(each.label for each in cut)), {each.label for each in found}
    whose = "every loss" if every <= set(labels) else enumeration([shown(label) for label in labels])
    caps = enumeration([thousands(cap) for cap in sorted({each.cap for each in cut})])
    return (
        f"Most final fold runs of {whose} were ended by the cap of {caps} iterations, not by patience: the comparison "
        "is then of what a loss reaches within the cap, and not of what it would reach in the end."
    )


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

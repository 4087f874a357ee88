"""What a paper says of its methods, ready to paste, in LaTeX."""

from __future__ import annotations

from importlib.metadata import version

from realitycheck.report.findings import DatasetFindings, Findings
from realitycheck.report.late import registrations_before
from realitycheck.report.sections.measured import held_constant
from realitycheck.report.sections.registrations import find as find_registrations
from realitycheck.report.study_facts import StudyFacts
from realitycheck.report.wording import count, enumeration, percent, points
from realitycheck.report.writers.bibliography import ENTRIES, data_keys, loss_keys, prints_ranks
from realitycheck.report.writers.latex_table import tex_escape
from realitycheck.runs import RESULTS_VERSION

SHOWN = 12
"""Digits of a digest in running text."""


def methods_text(findings: Findings) -> str:
    """Render the paragraphs; `references.bib` has what they cite."""
    paragraphs = (_comparison(findings), _protocol(findings), _statistics(findings), _sources(findings))
    return "\n\n".join(("% The references are in references.bib.", *paragraphs)) + "\n"


def _comparison(findings: Findings) -> str:
    study = findings.study
    names = enumeration(_losses(study))
    data = enumeration([tex_escape(name) for name in study.datasets])
    return (
        f"We compared {count(len(study.losses), 'loss', 'losses')} ({names}) on {data} under one protocol "
        rf"({tex_escape(study.protocol_name)}), which follows Musgrave et al.~\cite{{musgrave2020}}, with the category "
        rf"of complete models of DeMoor and Prevost~\cite{{demoor2024}}. Every loss had the same data, model, tuning "
        f"budget and seeds. The classes of each dataset were split in halves{_halves(findings)}"
    )


def _halves(findings: Findings) -> str:
    """Whether a test half was used before the searches had ended, or before the plan was fixed."""
    used = [
        dataset
        for dataset in findings.datasets
        if len(dataset.evidence.openings) > 1 or any(row.exploratory for row in dataset.rows)
    ]
    if not used:
        return "; no class of the test half was used before all searches had ended."
    return "".join((".", *(f" {_used(dataset)}" for dataset in used)))


def _used(dataset: DatasetFindings) -> str:
    labels = [row.label for row in dataset.rows if row.exploratory]
    names = "all losses" if len(labels) == len(dataset.rows) else enumeration([tex_escape(label) for label in labels])
    opened = f"The evidence holds {count(len(dataset.evidence.openings), 'opening')} of the test half of "
    opened += tex_escape(dataset.dataset)
    return f"{opened}; comparisons of {names} are exploratory." if labels else f"{opened}."


def _losses(study: StudyFacts) -> list[str]:
    """The losses, each paper cited where it is first named."""
    seen, names = set(ENTRIES), []
    for loss in study.losses:
        keys = [key for key in loss_keys(loss) if key not in seen]
        seen |= set(keys)
        names.append(tex_escape(study.shown(loss.label)) + (rf"~\cite{{{','.join(keys)}}}" if keys else ""))
    return names


def _protocol(findings: Findings) -> str:
    study = findings.study
    facts = held_constant(study.protocol, interval=study.estimator.title)
    listed = " ".join(f"{tex_escape(term)}: {tex_escape(text)}." for term, text in facts if term != "Interval")
    return rf"{listed} Searches maximized validation MAP@R with Optuna~\cite{{akiba2019}}."


def _statistics(findings: Findings) -> str:
    study = findings.study
    verdicts = (
        f"Differences from {tex_escape(study.shown(study.baseline))} in {tex_escape(study.primary)} were tested at the "
        rf"{tex_escape(percent(1 - study.level))} level with {tex_escape(study.estimator.title)}, after Holm's "
        rf"correction~\cite{{holm1979}} over the losses. Losses count as equivalent within "
        rf"$\pm${points(study.smallest_difference)} points, by two one-sided tests~\cite{{schuirmann1987}}."
    )
    ranks = (
        r" Ranks follow from all pairs of losses, with a step-down correction~\cite{romano2005}, as intervals that "
        r"hold together~\cite{mogstad2024}."
    )
    return f"{verdicts}{ranks if prints_ranks(findings) else ''} {tex_escape(study.estimator.covers)}"


def _sources(findings: Findings) -> str:
    registered = find_registrations(findings)
    ids = [summary.id[:SHOWN] for summary in registered.registrations] if registered else []
    after = not all(registrations_before(dataset.evidence) for dataset in findings.datasets)
    when = " after the first opening of a test half" if after else ""
    plan = f" The plan was registered ({enumeration(ids)}){when}." if ids else ""
    credit = " ".join(rf"{tex_escape(sentence)}~\cite{{{key}}}" for key, sentence in data_keys(findings).items())
    made = f"Reality Check {version('realitycheck')}, results version {RESULTS_VERSION}"
    return f"Trainings, scores and intervals were made with {made}.{plan} {credit}".rstrip()

"""What a paper says of its methods, ready to paste, in LaTeX."""

from __future__ import annotations

from importlib.metadata import version

from realitycheck.report.findings import Findings
from realitycheck.report.sections.measured import held_constant
from realitycheck.report.sections.registrations import find as find_registrations
from realitycheck.report.study_facts import StudyFacts
from realitycheck.report.wording import count, enumeration, percent, points
from realitycheck.report.writers.bibliography import ENTRIES, loss_keys, prints_ranks
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
        "budget and seeds. The classes of each dataset were split in halves; no class of the test half was used before "
        "all searches had ended."
    )


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
    plan = f" The plan was registered ({enumeration(ids)})." if ids else ""
    credit = " ".join(
        rf"{tex_escape(sentence)}~\cite{{data{number}}}" for number, sentence in enumerate(findings.credit, 1)
    )
    made = f"Reality Check {version('realitycheck')}, results version {RESULTS_VERSION}"
    return f"Trainings, scores and intervals were made with {made}.{plan} {credit}".rstrip()

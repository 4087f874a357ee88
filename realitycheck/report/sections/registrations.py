"""What was registered before the study ran, and what the study did otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from realitycheck.records.registration import Registration
from realitycheck.report.blocks import Block, Heading, Paragraph
from realitycheck.report.findings import DatasetFindings, Findings
from realitycheck.report.late import deviations, registrations_before, unregistered
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import count, enumeration

SHOWN = 12
"""Digits of a digest that are printed."""


@dataclass(frozen=True, slots=True)
class RegistrationSummary:
    """One registration.

    Args:
        id: of its record.
        version: version of the package.
        code: digest of the package's source files.
        records: proposals, runs and scores that the ledger held before.
        openings: dataset → openings of its test half that the ledger held before.
        changed_files: files of the study that have another text than in the report, by name.
        deviations: dataset → what the study does otherwise on it.
    """

    id: str
    version: str
    code: str
    records: int
    openings: Mapping[str, int]
    changed_files: tuple[str, ...]
    deviations: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Registrations:
    """The registrations of a study, in order, and dataset → losses of which a part was not registered in time."""

    registrations: tuple[RegistrationSummary, ...]
    unregistered: Mapping[str, tuple[str, ...]]


def find(findings: Findings) -> Registrations:
    """Every study has this section."""
    records = findings.datasets[0].evidence.registrations if findings.datasets else ()
    late = {dataset.dataset: tuple(sorted(unregistered(dataset.evidence))) for dataset in findings.datasets}
    return Registrations(tuple(_summary(record, findings) for record in records), late)


def _summary(record: Registration, findings: Findings) -> RegistrationSummary:
    texts = dict(record.files)
    names = sorted(texts.keys() | findings.sources.keys())
    return RegistrationSummary(
        id=record.id,
        version=record.version,
        code=record.code,
        records=record.records,
        openings=record.openings,
        changed_files=tuple(name for name in names if texts.get(name) != findings.sources.get(name)),
        deviations={on.dataset: tuple(deviations(record, on.evidence)) for on in findings.datasets},
    )


def blocks(findings: Findings, facts: Registrations) -> Iterator[Block]:
    """Print each registration with its deviations, and what was not registered in time."""
    yield Heading(2, "Registration")
    if not facts.registrations:
        yield Paragraph("This study was not registered.")
        return
    for number, summary in enumerate(facts.registrations):
        yield Paragraph(_sentences(number, summary, facts.registrations[0]))
    for dataset in findings.datasets:
        yield Paragraph(_in_time(dataset, facts.unregistered[dataset.dataset]))


def _sentences(number: int, summary: RegistrationSummary, first: RegistrationSummary) -> str:
    when = f"after {count(summary.records, 'record')}" if summary.records else "before its first run"
    opened = sum(summary.openings.values())
    when += f", when its evidence held {count(opened, 'opening')} of a test half" if opened else ""
    code = f"with version {summary.version}, sources {summary.code[:SHOWN]}"
    says = [f"Registration {number + 1} ({summary.id[:SHOWN]}) was written {when}, {code}."]
    if summary.code != first.code:
        says.append("Its code is not that of the first registration.")
    if summary.changed_files:
        says.append(f"Texts that changed since: {enumeration(summary.changed_files)}.")
    for name, phrases in summary.deviations.items():
        if phrases:
            says.append(f"Deviations on {name}: {enumeration(phrases)}.")
    if not any(summary.deviations.values()):
        says.append("Claims, losses and searches are as registered.")
    return " ".join(says)


def _in_time(dataset: DatasetFindings, late: tuple[str, ...]) -> str:
    if not registrations_before(dataset.evidence):
        return f"Nothing was registered before the test half of {dataset.dataset} was opened."
    if not late:
        return f"Everything on {dataset.dataset} was registered before its test half was opened."
    labels = enumeration(late)
    return f"Exploratory on {dataset.dataset}, because a part is not in the last registration before it: {labels}."


SECTION = Section(
    name="registrations",
    subject=Findings,
    find=find,
    blocks=blocks,
    keys=lambda facts: {"registrations": facts.registrations, "unregistered": facts.unregistered},
)

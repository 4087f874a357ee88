"""`report`, `status` and `pack`: what a ledger says, without images and without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from realitycheck import catalog
from realitycheck.errors import Problem
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import ReadStudy, changed_files
from realitycheck.records.causes import CAUSES, causes_of, with_causes
from realitycheck.records.collection import rarely_collected
from realitycheck.records.crate import write_crate
from realitycheck.records.evidence import DatasetEvidence
from realitycheck.records.gather import gather
from realitycheck.records.ledger import Ledger
from realitycheck.records.other_openings import OtherOpenings, other_openings
from realitycheck.records.recover import from_records
from realitycheck.runs import Body
from realitycheck.search.standing import Standing, loss_standings
from realitycheck.verbs.folders import evidence_folder, study_path
from realitycheck.verbs.present import present_data, require_fitting_records, unfitting_records
from realitycheck.verbs.study import open_packed, open_study


@dataclass(frozen=True, slots=True)
class Reported:
    """What `report_study` wrote, and the names of present files that differ from the texts that it used."""

    written: list[Path]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StudyStatus:
    """How far each loss is, where the images that are present are not those of the records, and other openings.

    Args:
        standings: of each loss.
        problems: datasets of other images.
        others: openings of the same test halves by studies in the same folder, which this ledger does not hold.
    """

    standings: tuple[Standing, ...]
    problems: list[Problem]
    others: tuple[OtherOpenings, ...] = ()


def report_study(study: ReadStudy | Path | str) -> list[Path]:
    """Rebuild a study's report from its ledger, finished or not; the paths of what was written.

    Where all records are packed, the study, its protocol and its spaces are those in the packed ledger, whatever became
    of the files; `report_with_changes` lists the files that differ from them.

    Raises:
        InputError: the study's files are wrong, the ledger is of another results version, or the images that are
            present are not those of its records.
        LedgerError: the ledger is damaged.

    Example:
        >>> from realitycheck import report_study
        >>> written = {path.name: path for path in report_study("studies/demo.yaml")}
        >>> written["index.html"].parent.name
        'demo'
    """
    return report_with_changes(study).written


def report_with_changes(study: ReadStudy | Path | str) -> Reported:
    """`report_study`, with the names of the files that differ from the texts in the packed ledger."""
    read, ledger = reported(study)
    with rarely_collected():
        written = _write(read, ledger)
    texts = _packed_texts(ledger)
    return Reported(written, () if texts is None else changed_files(study_path(study), texts))


def _write(read: ReadStudy, ledger: Ledger) -> list[Path]:
    from realitycheck.report.page import write_report  # seconds, that `status` need not wait

    notes = ledger.notes()
    return write_report(
        read.study,
        _evidence(read, ledger, notes),
        sources=read.texts(),
        credit=[catalog.credit(choice.address) for choice in read.study.datasets],
        ledger_digest=ledger.digest,
        attempts=notes,
        folder=read.home / "reports" / read.study.study,
    )


def reported(study: ReadStudy | Path | str) -> tuple[ReadStudy, Ledger]:
    """The study and the ledger that a report is made of.

    Raises:
        InputError: as in `report_study`.
        LedgerError: as in `report_study`.
    """
    ledger = Ledger(evidence_folder(study), digested=True)
    texts, path = _packed_texts(ledger), study_path(study)
    read = open_study(study) if texts is None or _is_mistyped(path, texts) else open_packed(path, texts)
    require_fitting_records(read, ledger)
    return read, ledger


def _is_mistyped(path: Path, texts: Mapping[str, str]) -> bool:
    """Whether a file that does not exist has another ending than that of the packed study."""
    return not path.exists() and path.suffix != Path(next(iter(texts))).suffix


def _packed_texts(ledger: Ledger) -> dict[str, str] | None:
    """The texts in a packed ledger that holds every record; None where there are later records, or no packed ledger."""
    return None if ledger.loose else ledger.texts


def study_standings(study: ReadStudy | Path | str) -> tuple[Standing, ...]:
    """How far each loss is on the images that are present, by the ledger alone."""
    return study_status(study).standings


def study_status(study: ReadStudy | Path | str) -> StudyStatus:
    """How far each loss is, and where the images that are present are not those of the records, by the ledger alone.

    Raises:
        InputError: the study's files are wrong, or the ledger is of another results version.
        LedgerError: the ledger is damaged.
    """
    read = open_study(study)
    ledger = Ledger(evidence_folder(read))
    with rarely_collected():
        standings = tuple(
            standing
            for evidence in study_evidence(read, ledger)
            for loss in evidence.losses
            for standing in loss_standings(evidence.dataset, loss, read.study.protocol_on(evidence.dataset))
        )
    tests = {plan.dataset: plan.test for plan in _plans(read, ledger) if plan.test is not None}
    others = tuple(other_openings(ledger, tests=tests))
    return StudyStatus(standings, unfitting_records(read, ledger), others)


def study_evidence(read: ReadStudy, ledger: Ledger) -> tuple[DatasetEvidence, ...]:
    """All that the ledger knows of a study, one per dataset."""
    return _evidence(read, ledger, ledger.notes(kinds=CAUSES))


def _evidence(read: ReadStudy, ledger: Ledger, notes: Sequence[Body]) -> tuple[DatasetEvidence, ...]:
    causes = causes_of(notes)
    return tuple(with_causes(gather(plan, ledger.records), causes) for plan in _plans(read, ledger))


def _plans(read: ReadStudy, ledger: Ledger) -> list[DatasetPlan]:
    names, present = [choice.name for choice in read.study.datasets], present_data(read)
    return [from_records(read.study, name, ledger.records, present=present.get(name)) for name in names]


def pack_study(study: ReadStudy | Path | str) -> Path:
    """Pack a study's ledger, finished or not, with the study's files into the one file that is committed.

    `ro-crate-metadata.json` beside it describes both packed files for archives.
    """
    read = open_study(study)
    ledger, texts = Ledger(evidence_folder(read)), read.texts()
    packed = ledger.pack(texts)
    times = [str(note["time"]) for note in ledger.notes()] or [datetime.now(UTC).isoformat()]
    write_crate(
        ledger.folder,
        study=read.study.study,
        question=read.study.question,
        texts=texts,
        version=version("realitycheck"),
        date=max(times)[:10],
    )
    return packed

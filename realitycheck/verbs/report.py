"""`report`, `status` and `pack`: what a ledger says, without images and without torch."""

from __future__ import annotations

from pathlib import Path

from realitycheck import catalog
from realitycheck.protocol.read import ReadStudy
from realitycheck.records.evidence import DatasetEvidence
from realitycheck.records.gather import gather
from realitycheck.records.ledger import Ledger
from realitycheck.records.recover import from_records
from realitycheck.search.standing import Standing, loss_standings
from realitycheck.verbs.study import evidence_folder, open_study


def report_study(study: ReadStudy | Path | str) -> list[Path]:
    """Rebuild a study's report from its ledger, finished or not; the paths of what was written.

    Raises:
        InputError: the study's files are wrong, or the ledger is of another results version.
        LedgerError: the ledger is damaged.

    Example:
        >>> from realitycheck import report_study
        >>> written = {path.name: path for path in report_study("studies/demo.yaml")}
        >>> written["index.html"].parent.name
        'demo'
    """
    from realitycheck.report.page import write_report  # seconds, that `status` need not wait

    read = open_study(study)
    ledger = Ledger(evidence_folder(read))
    return write_report(
        read.study,
        study_evidence(read, ledger),
        sources=read.texts(),
        credit=[catalog.credit(choice.address) for choice in read.study.datasets],
        ledger_digest=ledger.digest,
        attempts=ledger.notes(),
        folder=read.home / "reports" / read.study.study,
    )


def study_standings(study: ReadStudy | Path | str) -> tuple[Standing, ...]:
    """How far each loss is, by the ledger alone."""
    read = open_study(study)
    evidences = study_evidence(read, Ledger(evidence_folder(read)))
    return tuple(
        standing
        for evidence in evidences
        for loss in evidence.losses
        for standing in loss_standings(evidence.dataset, loss, read.study.protocol_on(evidence.dataset))
    )


def study_evidence(read: ReadStudy, ledger: Ledger) -> tuple[DatasetEvidence, ...]:
    """All that the ledger knows of a study, one per dataset."""
    names = [choice.name for choice in read.study.datasets]
    plans = [from_records(read.study, name, ledger.records) for name in names]
    return tuple(gather(plan, ledger.records) for plan in plans)


def pack_study(study: ReadStudy | Path | str) -> Path:
    """Pack a study's ledger, finished or not, into the one file that is committed."""
    return Ledger(evidence_folder(open_study(study))).pack()

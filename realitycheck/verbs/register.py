"""`register`: write down what a study wants to do, before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import realitycheck
from realitycheck.canonical import digest
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import ReadStudy
from realitycheck.records.ledger import Ledger
from realitycheck.records.registration import Registration
from realitycheck.records.schema import Opening, Proposal, Run, Score, of_type
from realitycheck.verbs.folders import evidence_folder
from realitycheck.verbs.study import Progress, plans_of, prepare_data, unwatched


@dataclass(frozen=True, slots=True)
class Registered:
    """How a `register` ended: the record, and whether it is new."""

    record: Registration
    new: bool


def register_study(read: ReadStudy, *, watch: Progress = unwatched) -> Registered:
    """Write down what a study wants to do; a study that is registered as it is stays so.

    A later registration is kept beside the earlier ones, and the report lists all of them.

    Raises:
        InputError: the data do not fit the protocol, or the ledger is of another results version.
        LedgerError: the ledger is damaged.
    """
    ledger = Ledger(evidence_folder(read))
    record = registration(read, ledger, plans_of(read, prepare_data(read, watch=watch)))
    known = ledger.records.get(record.id)
    if isinstance(known, Registration):
        return Registered(known, new=False)
    _write(ledger, record, by="register")
    return Registered(record, new=True)


def register_first(read: ReadStudy, ledger: Ledger, plans: Sequence[DatasetPlan]) -> None:
    """Register a study that is not registered at all."""
    if not of_type(ledger.records.values(), Registration):
        _write(ledger, registration(read, ledger, plans), by="run")


def registration(read: ReadStudy, ledger: Ledger, plans: Sequence[DatasetPlan]) -> Registration:
    """What a study wants to do, and what its ledger holds already."""
    records = ledger.records.values()
    openings = of_type(records, Opening)
    return Registration(
        study=read.study.study,
        files=tuple(read.texts().items()),
        version=version("realitycheck"),
        code=code_digest(),
        plans={plan.dataset: plan.digest for plan in plans},
        searches={
            plan.dataset: {loss.label: tuple(search.id for search in loss.searches) for loss in plan.losses}
            for plan in plans
        },
        claims={plan.dataset: plan.claims for plan in plans},
        openings={plan.dataset: sum(opening.test == plan.test for opening in openings) for plan in plans},
        records=sum(isinstance(record, Proposal | Run | Score) for record in records),
        number=len(of_type(records, Registration)),
    )


@cache
def code_digest() -> str:
    """The digest of the source files of this package, by their paths in it; the same wherever it is installed."""
    root = Path(realitycheck.__file__).parent
    texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in root.rglob("*.py")}
    return digest(texts)


def _write(ledger: Ledger, record: Registration, *, by: str) -> None:
    ledger.append(record)
    ledger.note("registered", {"id": record.id, "title": f"{record.study}, by `{by}`"})

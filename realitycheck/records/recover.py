"""The plan that a ledger belongs to, found without the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from realitycheck.errors import InputError
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.model import Study
from realitycheck.records.earlier_sources import with_recorded_sources
from realitycheck.records.schema import Opening, Proposal, Record, of_type

Present = tuple[str, str]
"""The digests of the trainval half and of the test half of the images that are present."""


def from_records(
    study: Study, dataset: str, records: Mapping[str, Record], *, present: Present | None = None
) -> DatasetPlan:
    """The plan that a ledger's records belong to, found without the images.

    Args:
        study: the study.
        dataset: the dataset's name.
        records: every record by id.
        present: the digests of the images that are present, where they are known: the plan is theirs. Otherwise the
            digest of the trainval half comes from the proposals of this very study, and that of the test half from
            the opening of this very plan, or else from an earlier opening on the same trainval half.

    A class named by address counts with the source that its runs were made with, where none was made with the present
    one.

    Raises:
        InputError: `present` is None, and the records are of several versions of the images.
    """
    study = with_recorded_sources(study, records)
    if present is not None:
        return DatasetPlan(study=study, dataset=dataset, data=present[0], test=present[1])
    digests = fitting_data(study, dataset, records)
    tests = sorted({(opening.data, opening.test) for opening in _openings(records, digests)})
    plans = [DatasetPlan(study=study, dataset=dataset, data=data, test=test) for data, test in tests]
    plans = [plan for plan in plans if plan.opening_id in records] or plans
    if len(digests) > 1 or len(plans) > 1:
        says = (
            f"the ledger holds records of {max(len(digests), len(plans))} versions of the images of {dataset}. "
            "`check` the study where the images are: it writes down which version is present."
        )
        raise InputError.one(study.study, "data-ambiguous", says, where=f"datasets.{dataset}")
    if plans:
        return plans[0]
    return DatasetPlan(study=study, dataset=dataset, data=next(iter(digests), ""), test=None)


def fitting_data(study: Study, dataset: str, records: Mapping[str, Record]) -> frozenset[str]:
    """The digests of the trainval halves on which the ledger has proposals of this very study."""
    study = with_recorded_sources(study, records)
    proposals = [record for record in of_type(records.values(), Proposal) if record.dataset == dataset]
    return frozenset(
        data for data in {proposal.data for proposal in proposals} if _fits(study, dataset, data, proposals)
    )


def _openings(records: Mapping[str, Record], digests: frozenset[str]) -> list[Opening]:
    return [opening for opening in of_type(records.values(), Opening) if opening.data in digests]


def _fits(study: Study, dataset: str, data: str, proposals: Sequence[Proposal]) -> bool:
    """Whether one of the proposals on this trainval half belongs to a search of the study."""
    searches = {search.id for search in DatasetPlan(study=study, dataset=dataset, data=data, test=None).searches}
    return any(proposal.data == data and proposal.search in searches for proposal in proposals)

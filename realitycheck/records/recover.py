"""The plan that a ledger belongs to, found without the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from realitycheck.errors import LedgerError
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.model import Study
from realitycheck.records.earlier_sources import with_recorded_sources
from realitycheck.records.schema import Opening, Proposal, Record, of_type


def from_records(study: Study, dataset: str, records: Mapping[str, Record]) -> DatasetPlan:
    """The plan that a ledger's records belong to, found without the images.

    The digest of the trainval half comes from the proposals of this very study, and that of the test half from the
    opening of this very plan, or else from an earlier opening on the same trainval half. A class named by address
    counts with the source that its runs were made with, where none was made with the present one.

    Raises:
        LedgerError: the records are of several versions of the images, and no opening says which is meant.
    """
    study = with_recorded_sources(study, records)
    proposals = [record for record in of_type(records.values(), Proposal) if record.dataset == dataset]
    digests = {data for data in {proposal.data for proposal in proposals} if _fits(study, dataset, data, proposals)}
    openings = [opening for opening in of_type(records.values(), Opening) if opening.data in digests]
    plans = [DatasetPlan(study=study, dataset=dataset, data=opening.data, test=opening.test) for opening in openings]
    exact = [plan for plan, opening in zip(plans, openings, strict=True) if plan.opening_id == opening.id]
    if exact:
        return exact[0]
    if len(digests) > 1:
        raise LedgerError(
            f"the ledger holds trials on {len(digests)} versions of the images of {dataset}, and this plan has opened "
            "the test half of none. `run` the study to its end: the opening will say which version is meant."
        )
    known = plans[0].test if plans else None
    return DatasetPlan(study=study, dataset=dataset, data=next(iter(digests), ""), test=known)


def _fits(study: Study, dataset: str, data: str, proposals: Sequence[Proposal]) -> bool:
    """Whether one of the proposals on this trainval half belongs to a search of the study."""
    searches = {search.id for search in DatasetPlan(study=study, dataset=dataset, data=data, test=None).searches}
    return any(proposal.data == data and proposal.search in searches for proposal in proposals)

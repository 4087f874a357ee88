"""The plan that a ledger belongs to, found without the images."""

from __future__ import annotations

from collections.abc import Mapping

from realitycheck.errors import LedgerError
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.model import Study
from realitycheck.runs import Body, by_kind


def from_records(study: Study, dataset: str, records: Mapping[str, Body]) -> DatasetPlan:
    """The plan that a ledger's records belong to, found without the images.

    The digest of the trainval half is read off the proposals of this very search, and that of the test half off the
    opening of this very plan, or else off an earlier opening on the same trainval half.

    Raises:
        LedgerError: the records are of several versions of the images, and no opening tells which is meant.
    """
    digests = {body["data"] for body in by_kind(records.values(), "proposal") if _fits(study, dataset, body)}
    openings = [body for body in by_kind(records.values(), "opening") if body["data"] in digests]
    plans = [DatasetPlan(study=study, dataset=dataset, data=each["data"], test=each["test"]) for each in openings]
    exact = [plan for plan, body in zip(plans, openings, strict=True) if plan.opening_id == body["id"]]
    if exact:
        return exact[0]
    if len(digests) > 1:
        raise LedgerError(
            f"the ledger holds trials on {len(digests)} versions of the images of {dataset}, and this plan has opened "
            "the test half of none. `run` the study to its end: the opening will tell which version is meant."
        )
    known = plans[0].test if plans else None
    return DatasetPlan(study=study, dataset=dataset, data=next(iter(digests), ""), test=known)


def _fits(study: Study, dataset: str, proposal: Body) -> bool:
    if proposal["dataset"] != dataset:
        return False
    plan = DatasetPlan(study=study, dataset=dataset, data=proposal["data"], test=None)
    return any(proposal["id"] == loss.proposal_id(proposal["slot"]) for loss in plan.losses)

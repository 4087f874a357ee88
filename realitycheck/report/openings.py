"""Openings of the test half, and what was settled after the first of them."""

from __future__ import annotations

from dataclasses import dataclass

from realitycheck.records.evidence import DatasetEvidence
from realitycheck.runs import Body

NAMING = "same"
"""The claim that shapes the noise floor alone, and no verdict."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The test half of a dataset was opened for these losses, after `before` openings of the same half."""

    losses: tuple[str, ...]
    before: int


def opening_of(body: Body) -> Opening:
    """An opening, read from its record."""
    return Opening(losses=tuple(body["searches"]), before=body["number"])


def exploratory(evidence: DatasetEvidence) -> frozenset[str]:
    """The losses of which something was settled after the test half had first been opened.

    That is a search that the first opening does not name: a loss that joined, or one whose space or recipe changed. It
    is every loss if the claims changed, or if a loss of the first family was dropped, which eases Holm's correction.
    """
    if not evidence.openings:
        return frozenset()
    first, labels = evidence.openings[0], {loss.label for loss in evidence.losses}
    if changed_claims(evidence) - {NAMING} or set(first["searches"]) - labels:
        return frozenset(labels)
    return frozenset(loss.label for loss in evidence.losses if first["searches"].get(loss.label) != loss.search)


def changed_claims(evidence: DatasetEvidence) -> frozenset[str]:
    """The claims that are no longer what the first opening says; what it does not tell of is not known to differ."""
    told = evidence.openings[0]["claims"] if evidence.openings else {}
    return frozenset(name for name, value in told.items() if evidence.claims.get(name) != value)

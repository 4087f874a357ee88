"""Openings of the test half, and what was settled after the first of them."""

from __future__ import annotations

from dataclasses import dataclass

from realitycheck.records.evidence import DatasetEvidence
from realitycheck.records.schema import Opening

NAMING = "same"
"""The claim that shapes the noise floor alone, and no verdict."""


@dataclass(frozen=True, slots=True)
class OpeningSummary:
    """The test half of a dataset was opened for these losses, after `before` openings of the same half."""

    losses: tuple[str, ...]
    before: int


def summarize_opening(opening: Opening) -> OpeningSummary:
    """An opening as the page prints it."""
    return OpeningSummary(losses=tuple(opening.searches), before=opening.number)


def exploratory(evidence: DatasetEvidence) -> frozenset[str]:
    """The losses of which something was settled after the test half had first been opened.

    That is a search that the first opening does not name: a loss that joined, or one whose space or recipe changed. It
    is every loss if the claims changed, or if a loss of the first family was dropped, which eases Holm's correction.
    """
    if not evidence.openings:
        return frozenset()
    first, labels = evidence.openings[0], {loss.label for loss in evidence.losses}
    if changed_claims(evidence) - {NAMING} or set(first.searches) - labels:
        return frozenset(labels)
    searches = {loss.label: tuple(search.id for search in loss.searches) for loss in evidence.losses}
    return frozenset(label for label, ids in searches.items() if first.searches.get(label) != ids)


def changed_claims(evidence: DatasetEvidence) -> frozenset[str]:
    """The claims that are no longer what the first opening says; what it does not tell of is not known to differ."""
    claims = evidence.openings[0].claims if evidence.openings else {}
    return frozenset(name for name, value in claims.items() if evidence.claims.get(name) != value)

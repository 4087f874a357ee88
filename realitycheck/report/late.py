"""What was decided after the test half had been opened."""

from __future__ import annotations

from realitycheck.records.evidence import DatasetEvidence

NAMING = "same"
"""The claim that shapes the noise floor alone, and no verdict."""

UNSAID = {"compare": "baseline"}
"""Claims that an opening holds only where they differ from these."""


def exploratory(evidence: DatasetEvidence) -> frozenset[str]:
    """Find the losses of which a part was decided after the test half had first been opened.

    That is a search that the first opening does not name: a loss that joined, or one with another space or recipe. It
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
    """Find the claims that differ from those of the first opening; a claim that it does not hold counts as equal."""
    if not evidence.openings:
        return frozenset()
    first, now = {**UNSAID, **evidence.openings[0].claims}, {**UNSAID, **evidence.claims}
    return frozenset(name for name, value in first.items() if now.get(name) != value)

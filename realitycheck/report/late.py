"""What was decided after a study was registered, or after its test half had been opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realitycheck.records.evidence import DatasetEvidence
from realitycheck.records.registration import Registration

NAMING = "same"
"""The claim that shapes the noise floor alone."""

ADDING = "default_rows"
"""The claim that adds rows beside those of the losses."""

NO_VERDICT = frozenset({NAMING, "sweep", ADDING})
"""Claims that shape no verdict."""

UNSAID = {"compare": "baseline", "select": "best", ADDING: False}
"""Claims that an opening holds only where they differ from these."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What was fixed at one moment: label of a loss → digests of its searches, and the claims."""

    searches: Mapping[str, tuple[str, ...]]
    claims: Mapping[str, Any]

    def changed_claims(self, evidence: DatasetEvidence) -> frozenset[str]:
        """Find the claims that differ from these; a claim that is not among these counts as equal."""
        first, present = {**UNSAID, **self.claims}, {**UNSAID, **evidence.claims}
        return frozenset(name for name, value in first.items() if present.get(name) != value)

    def added(self, evidence: DatasetEvidence) -> tuple[str, ...]:
        """Find the losses that are not declared."""
        return tuple(loss.label for loss in evidence.losses if loss.label not in self.searches)

    def dropped(self, evidence: DatasetEvidence) -> tuple[str, ...]:
        """Find the declared losses that the study does not have."""
        labels = {loss.label for loss in evidence.losses}
        return tuple(sorted(self.searches.keys() - labels))

    def searched_otherwise(self, evidence: DatasetEvidence) -> tuple[str, ...]:
        """Find the declared losses with other searches: other ranges, another recipe, or other images."""
        ids = {loss.label: tuple(search.id for search in loss.searches) for loss in evidence.losses}
        return tuple(label for label, now in ids.items() if self.searches.get(label, now) != now)

    def undeclared(self, evidence: DatasetEvidence) -> frozenset[str]:
        """Find the losses of which a part is not declared.

        That is a loss that joined, or one with another space or recipe. It is every loss if the claims changed, or if a
        loss was dropped, which eases Holm's correction.
        """
        if self.changed_claims(evidence) - NO_VERDICT or self.dropped(evidence):
            return frozenset(loss.label for loss in evidence.losses)
        return frozenset((*self.added(evidence), *self.searched_otherwise(evidence)))


def exploratory(evidence: DatasetEvidence) -> frozenset[str]:
    """Find the losses of which a part was not registered, or was decided after the test half had been opened."""
    return after_opening(evidence) | unregistered(evidence)


def after_opening(evidence: DatasetEvidence) -> frozenset[str]:
    """Find the losses of which a part was decided after the test half had first been opened."""
    return _undeclared(_opening(evidence), evidence)


def unregistered(evidence: DatasetEvidence) -> frozenset[str]:
    """Find the losses of which a part is not in the last registration before the first opening; none without one."""
    before = registrations_before(evidence)
    return _undeclared([registered(before[-1], evidence)] if before else [], evidence)


def late(evidence: DatasetEvidence) -> frozenset[str]:
    """Find the losses that were FAILED when the test half was first opened, and whose searches are done by now."""
    done = {loss.label for loss in evidence.losses if all(search.done for search in loss.searches)}
    return frozenset(label for opening in evidence.openings[:1] for label in opening.set_aside if label in done)


def changed_claims(evidence: DatasetEvidence) -> frozenset[str]:
    """Find the claims that differ from those of the first opening; a claim that it does not hold counts as equal."""
    return frozenset().union(*(declaration.changed_claims(evidence) for declaration in _opening(evidence)))


def registrations_before(evidence: DatasetEvidence) -> tuple[Registration, ...]:
    """The registrations on this dataset that were made before the test half was first opened, in order."""
    known = [record for record in evidence.registrations if evidence.dataset in record.plans]
    if not evidence.openings:
        return tuple(known)
    return tuple(record for record in known if record.openings[evidence.dataset] <= evidence.openings[0].number)


def registered(record: Registration, evidence: DatasetEvidence) -> Declaration:
    """What a registration declares on a dataset; nothing on one that it does not have."""
    return Declaration(record.searches.get(evidence.dataset, {}), record.claims.get(evidence.dataset, {}))


def deviations(record: Registration, evidence: DatasetEvidence) -> Iterator[str]:
    """What the study does otherwise on a dataset than a registration says, one phrase each."""
    declaration = registered(record, evidence)
    for name in sorted(declaration.changed_claims(evidence)):
        yield f"{name.replace('_', ' ')} changed"
    yield from (f"{label} added" for label in declaration.added(evidence))
    yield from (f"{label} dropped" for label in declaration.dropped(evidence))
    yield from (f"{label} searched otherwise" for label in declaration.searched_otherwise(evidence))


def _opening(evidence: DatasetEvidence) -> Sequence[Declaration]:
    """What the first opening declares, as a list of one; an empty one without openings."""
    first = evidence.openings[:1]
    return [Declaration({**opening.searches, **opening.set_aside}, opening.claims) for opening in first]


def _undeclared(declarations: Sequence[Declaration], evidence: DatasetEvidence) -> frozenset[str]:
    return frozenset().union(*(declaration.undeclared(evidence) for declaration in declarations))

"""Exceptions of losses: a record says that there was one, and the notes of the attempt which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from realitycheck.records.evidence import DatasetEvidence, LossEvidence, SearchEvidence, SearchFailure
from realitycheck.runs import Body, Stage


@dataclass(frozen=True, slots=True)
class Causes:
    """What the notes say: run id → an exception in a line, and search id → why it was set aside."""

    raised: Mapping[str, str]
    failed: Mapping[str, SearchFailure]


def causes_of(notes: Sequence[Body]) -> Causes:
    """Read the causes out of a study's notes; of several notes on one thing the last counts."""
    raised = {note["id"]: _first_line(note["reason"]) for note in notes if note["kind"] == "diverged"}
    aside = {
        note["id"]: SearchFailure(_first_line(note["reason"]), note["traceback"])
        for note in notes
        if note["kind"] == "set-aside"
    }
    return Causes(raised, aside)


def with_causes(evidence: DatasetEvidence, causes: Causes) -> DatasetEvidence:
    """Return the evidence with the exceptions of its losses."""
    return replace(evidence, losses=tuple(_of_loss(loss, causes) for loss in evidence.losses))


def _of_loss(loss: LossEvidence, causes: Causes) -> LossEvidence:
    return replace(loss, searches=tuple(_of_search(search, causes) for search in loss.searches))


def _of_search(search: SearchEvidence, causes: Causes) -> SearchEvidence:
    """A search that was set aside and then tried again with another end has records, and did not fail."""
    tried = list(search.runs(Stage.SEARCH))
    runs = (*tried, *search.runs(Stage.FINAL))
    raised = {run.id: causes.raised[run.id] for run in runs if run.diverged and run.id in causes.raised}
    return replace(search, raised=raised, failed=None if tried else causes.failed.get(search.id))


def _first_line(text: str) -> str:
    return text.partition("\n")[0]

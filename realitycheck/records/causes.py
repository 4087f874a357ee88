"""Exceptions of losses: a record says that there was one, and the notes of the attempt which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from realitycheck.records.evidence import DatasetEvidence, LossEvidence, SearchEvidence, SearchFailure
from realitycheck.records.schema import proposal_id
from realitycheck.runs import Body, Stage

CAUSES = ("diverged", "set-aside", "given-up")
"""The kinds of notes that say why."""


@dataclass(frozen=True, slots=True)
class Causes:
    """What the notes say.

    Args:
        raised: run id → an exception in a line.
        failed: search id → the exception for which it was set aside.
        given_up: search id → id of a job that was given up → why.
    """

    raised: Mapping[str, str]
    failed: Mapping[str, SearchFailure]
    given_up: Mapping[str, Mapping[str, SearchFailure]]


def causes_of(notes: Sequence[Body]) -> Causes:
    """Read the causes out of a study's notes; of several notes on one thing the last counts."""
    raised = {note["id"]: _first_line(note["reason"]) for note in notes if note["kind"] == "diverged"}
    aside = {
        note["id"]: SearchFailure(_first_line(note["reason"]), note["traceback"])
        for note in notes
        if note["kind"] == "set-aside"
    }
    given_up: dict[str, dict[str, SearchFailure]] = {}
    for note in notes:
        if note["kind"] == "given-up":
            why = SearchFailure(
                f"{note['title']}: {_first_line(note['reason'])}", note.get("traceback", ""), raised=False
            )
            given_up.setdefault(note["search"], {})[note["id"]] = why
    return Causes(raised, aside, given_up)


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
    failed = None if tried else causes.failed.get(search.id)
    return replace(search, raised=raised, failed=failed or _given_up(search, {run.id for run in runs}, causes))


def _given_up(search: SearchEvidence, recorded: set[str], causes: Causes) -> SearchFailure | None:
    """Why the first job of a search was given up that has no record yet."""
    recorded |= {proposal_id(search.id, trial.slot) for trial in search.trials}
    left = causes.given_up.get(search.id, {})
    return next((why for job, why in left.items() if job not in recorded), None)


def _first_line(text: str) -> str:
    return text.partition("\n")[0]

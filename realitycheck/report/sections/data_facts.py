"""The head of a dataset: its images and how many trainings were done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from realitycheck.plan.cost import Trainings
from realitycheck.records.evidence import LossEvidence
from realitycheck.report.blocks import Block, Heading, Terms
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import NOT_IN_JSON, count, stretch, thousands
from realitycheck.runs import CLEAN, Stage


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What the records of one dataset say of its images.

    Args:
        images: of the trainval half; None before the first run is done.
        train: least and most images that a fold run trained on.
        val: least and most images that it was validated on.
        queries: images of the test half with another one of their class; None before the first score.
        classes: their classes.
        singletons: images of the test half that are alone in their class.
        trainings: runs done, without those of untrained models.
        defaults: runs done for the rows of published settings alone.
    """

    images: int | None
    train: tuple[int, int] | None
    val: tuple[int, int] | None
    queries: int | None
    classes: int | None
    singletons: int | None
    trainings: Trainings
    defaults: int = field(default=0, metadata=NOT_IN_JSON)


def find(dataset: DatasetFindings) -> DataFacts:
    """Read the records of all losses."""
    losses = dataset.evidence.losses
    trials = [run for loss in losses for run in loss.runs(Stage.SEARCH)]
    replicates = [replicate for loss in losses for replicate in loss.replicates]
    folds = [run for replicate in replicates for run in replicate.fold_runs if run]
    complete = [replicate.complete_run for replicate in replicates if replicate.complete_run]
    images = [run.images for run in (*trials, *folds) if run.images.train]
    scores = (replicate.scores[CLEAN].folds for replicate in replicates if CLEAN in replicate.scores)
    score = next(filter(None, scores), None)
    return DataFacts(
        images=images[0].train + images[0].val if images else None,
        train=_ends(run.train for run in images),
        val=_ends(run.val for run in images),
        queries=score.queries if score else None,
        classes=len(score.models[0]["cosine"].per_class) if score else None,
        singletons=score.singletons if score else None,
        trainings=Trainings(
            search=len(trials), folds=len(folds), complete=len(complete), runners_up=_runners_up(losses)
        ),
        defaults=len(_default_runs(losses) - {run.id for replicate in replicates for run in replicate.runs}),
    )


def _default_runs(losses: Sequence[LossEvidence]) -> set[str]:
    searches = (search for loss in losses for search in loss.searches)
    return {run.id for search in searches for replicate in search.default for run in replicate.runs}


def _runners_up(losses: Sequence[LossEvidence]) -> int:
    return sum(len(search.runners_up_runs) for loss in losses for search in loss.searches)


def blocks(dataset: DatasetFindings, facts: DataFacts) -> Iterator[Block]:
    """Print the dataset's name and its facts."""
    yield Heading(2, dataset.dataset)
    yield Terms(tuple((term, f"{text}.") for term, text in fact_lines(facts)))


def fact_lines(facts: DataFacts) -> list[tuple[str, str]]:
    """The known facts with their headings."""
    lines = []
    if facts.images is not None and facts.train and facts.val:
        images = f"{thousands(facts.images)} images; a fold run trains on {stretch(facts.train)} of them"
        lines.append(("Trainval half", f"{images} and is validated on {stretch(facts.val)} of other classes"))
    if facts.queries is not None and facts.classes is not None:
        lines.append(("Test half", f"{_queries(facts)}; none of its classes was seen in training"))
    done = facts.trainings
    parts = f"{thousands(done.search)} of searches, {thousands(done.folds)} final fold runs, "
    parts += count(done.complete, "complete run")
    parts += f", {thousands(done.runners_up)} of runners-up" if done.runners_up else ""
    parts += f"; beside these {thousands(facts.defaults)} for default rows" if facts.defaults else ""
    return [*lines, ("Trainings", f"{thousands(done.total)}: {parts}")]


def _queries(facts: DataFacts) -> str:
    queries = f"{thousands(facts.queries or 0)} queries of {count(facts.classes or 0, 'class', 'classes')}"
    alone = facts.singletons or 0
    if not alone:
        return queries
    return f"{queries}, and {count(alone, 'singleton')} (the only image of its class, hence no query)"


def _ends(values: Iterable[int]) -> tuple[int, int] | None:
    known = list(values)
    return (min(known), max(known)) if known else None


SECTION = Section(
    name="facts",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
)

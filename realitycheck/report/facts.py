"""Facts of the data and the runs, as far as protocol and records tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from realitycheck.plan.cost import Trainings
from realitycheck.protocol.model import Phase, Protocol, Search
from realitycheck.protocol.recipe import TrunkChoice
from realitycheck.records.evidence import DatasetEvidence
from realitycheck.records.schema import Score
from realitycheck.report.words import count, percent, stretch, thousands
from realitycheck.runs import CLEAN, Stage

COMPLETE = {
    "appendix_d": "as long as the final fold runs of its loss took to their best on average, rounded up to a multiple "
    "of five epochs",
    "per_replicate": "as long as the fold runs of its own seed took to their best on average, rounded up to whole "
    "evaluations",
}
"""The length of a complete run by each rule."""

NORM = {
    "none": "a linear embedder",
    "plain": "LayerNorm, a linear embedder",
    "affine": "affine LayerNorm, a linear embedder",
}
"""What comes behind the pooling."""

FROZEN = (
    "its features were computed once for each image; only the embedder and the loss trained. A ranking of losses "
    "found so may not hold where the trunk is trained too"
)
"""What is said of a frozen trunk."""

UNTRAINED = "the trunk as its weights come, which was not trained any further"
"""What is said of the baseline rows where the trunk has learned weights."""

FOLD_RUN = {"normal": "Fold run", "followup": "Its follow-up"}
"""What each phase of a fold run is called."""


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What the records of one dataset tell of it.

    Args:
        images: of the trainval half; None before the first run is done.
        train: least and most images that a fold run trained on.
        val: least and most images that it was validated on.
        queries: images of the test half with another one of their class; None before the first score.
        classes: their classes.
        singletons: images of the test half that are alone in their class.
        trainings: runs done, without those of untrained models.
    """

    images: int | None
    train: tuple[int, int] | None
    val: tuple[int, int] | None
    queries: int | None
    classes: int | None
    singletons: int | None
    trainings: Trainings


def data_facts(evidence: DatasetEvidence) -> DataFacts:
    """Read off the records of all losses."""
    trials = [run for loss in evidence.losses for run in loss.runs(Stage.SEARCH)]
    replicates = [replicate for loss in evidence.losses for replicate in loss.replicates]
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
        classes=_classes(score) if score else None,
        singletons=score.singletons if score else None,
        trainings=Trainings(search=len(trials), folds=len(folds), complete=len(complete)),
    )


def fact_lines(facts: DataFacts) -> list[tuple[str, str]]:
    """What there is to say, each with its heading."""
    found = []
    if facts.images is not None and facts.train and facts.val:
        told = f"{thousands(facts.images)} images; a fold run trains on {stretch(facts.train)} of them"
        found.append(("Trainval half", f"{told} and is validated on {stretch(facts.val)} of other classes"))
    if facts.queries is not None and facts.classes is not None:
        found.append(("Test half", f"{_queries(facts)}; no class of the half was seen in training"))
    done = facts.trainings
    parts = f"{thousands(done.search)} of searches, {thousands(done.folds)} final fold runs, "
    return [*found, ("Trainings", f"{thousands(done.total)}: {parts}{count(done.complete, 'complete run')}")]


def protocol_lines(protocol: Protocol, *, interval: str) -> list[tuple[str, str]]:
    """What every loss had alike, each with its heading; `interval` names the estimator."""
    recipe, final, folds = protocol.recipe, protocol.final, protocol.folds.count
    dims, level = protocol.embedding_dim, percent(protocol.interval.level)
    many = f", {folds * dims} in complete models and in ensembles of {folds}" if folds > 1 else ""
    after = " and a complete run each" if protocol.completes else " each"
    complete = [("Complete run", f"{COMPLETE[final.complete]}; an epoch is {_epoch(protocol.epoch)}")]
    return [
        ("Model", f"trunk {_trunk(recipe.trunk)}, {recipe.pooling} pooling, {NORM[recipe.layer_norm]}"),
        *((f"On {name}", f"trunk {_trunk(other.trunk)}") for name, other in protocol.on.items() if other.trunk),
        *([("Frozen trunk", FROZEN)] if recipe.trunk.frozen else []),
        *([("Untrained rows", UNTRAINED)] if recipe.trunk.weights else []),
        ("Embedding", f"{dims} numbers an image{many}"),
        ("Search", _search(protocol)),
        *((FOLD_RUN[phase.name], _phase(phase)) for phase in protocol.phases),
        ("Retraining", f"{_seeds(protocol)}, {count(folds, 'fold run')}{after}"),
        *(complete if protocol.completes else []),
        ("Interval", f"{interval}, {level}"),
        *(
            [("Assumed", f"chosen by us, for it is not published: {', '.join(protocol.assumed)}")]
            if protocol.assumed
            else []
        ),
    ]


def _trunk(trunk: TrunkChoice) -> str:
    """`resnet50 (frozen, weights with the SHA-256 0676ba61…)`."""
    told = [f"{name} {value}" for name in ("channels", "model") if (value := getattr(trunk, name)) is not None]
    told += ["frozen"] if trunk.frozen else []
    told += [f"weights with the SHA-256 {trunk.weights.sha256[:12]}…"] if trunk.weights else []
    return f"{trunk.name} ({', '.join(told)})" if told else trunk.name


def _search(protocol: Protocol) -> str:
    """`20 trials of 4 fold runs; …`, and how many searches have so many where a loss has several."""
    search = protocol.search
    trials = f"{count(search.trials, 'trial')} of {count(protocol.folds.count, 'fold run')}; {_proposed(search)}"
    if search.searches == 1:
        return trials
    own = "seeds and folds" if protocol.folds.kind == "shuffled" else "seeds"
    return f"{search.searches} searches with {own} of their own, each of {trials}"


def _seeds(protocol: Protocol) -> str:
    seeds, searches = protocol.final.seeds, protocol.search.searches
    if searches == 1:
        return f"{seeds} fresh seeds of the chosen setting"
    return f"{seeds} fresh seeds, {seeds // searches} of the setting that each search chose"


def _proposed(search: Search) -> str:
    """`trial 1 the published setting, trials 2 to 8 at random, the others by the sampler gp`."""
    start, drawn = 2 if search.first else 1, min(search.startup_trials, search.trials)
    trials = f"trial {start}" if start == drawn else f"trials {start} to {drawn}"
    told = {
        "trial 1 the published setting": bool(search.first),
        f"{trials} at random": drawn >= start,
        f"the others by the sampler {search.sampler}": drawn < search.trials,
    }
    return ", ".join(part for part, holds in told.items() if holds)


def _epoch(epoch: int | str) -> str:
    return count(epoch, "iteration") if isinstance(epoch, int) else "a pass over the images"


def _phase(phase: Phase) -> str:
    return (
        f"validated every {count(phase.evaluate_every, 'iteration')}; ends after "
        f"{count(phase.patience, 'evaluation')} without a new best, at {thousands(phase.cap)} iterations at the latest"
    )


def _queries(facts: DataFacts) -> str:
    told = f"{thousands(facts.queries or 0)} queries of {count(facts.classes or 0, 'class', 'classes')}"
    alone = facts.singletons or 0
    return f"{told}, and {count(alone, 'singleton')}, each the only image of its class and no query" if alone else told


def _classes(score: Score) -> int:
    return len(score.each[0]["cosine"].per_class)


def _ends(values: Iterable[int]) -> tuple[int, int] | None:
    found = list(values)
    return (min(found), max(found)) if found else None

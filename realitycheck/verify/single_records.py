"""What must hold inside single runs and scores, whatever study they belong to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from realitycheck.verify.bodies import Bodies
from realitycheck.verify.checks import Checks, few, shortened
from realitycheck.verify.digests import Json

Table = NDArray[np.float64]

ROUNDED = 1e-6
"""The classes are recorded to six decimals, so that their mean is off by half a unit of the last one at most."""

SURE = 1e-6
"""The least share of a row that a fit leaves free."""

PER_CLASS = "map_at_r_per_class"


def check_runs(bodies: Bodies, checks: Checks) -> None:
    """Hold every run to its own curve, and the models of one loss to be different ones."""
    for run in bodies.of_kind("run"):
        wrong = few(_faults(run))
        checks.holds(
            not wrong, what="runs", where=f"run {shortened(run['id'])}", code="run-inconsistent", says=f"{wrong}."
        )
    _check_weights(bodies, checks)


def _faults(run: Json) -> Iterator[str]:
    """What does not fit inside one run."""
    curve, best, spec = run["curve"], run["best"], run["spec"]
    iterations = [point["iteration"] for point in curve]
    if iterations != sorted(set(iterations)):
        yield "the iterations of its curve are not ascending"
    if any(not 0 <= point["map_at_r"] <= 1 for point in curve):
        yield "a validation score is outside of [0, 1]"
    if (run["weights"] is None) != (run["outcome"] == "diverged"):
        yield "a completed run has the digest of its weights, and a diverged one has none"
    if best is not None:
        yield from _best_faults(best, curve, spec)
    if run["outcome"] == "completed" and spec["loss"] is not None:
        yield from _phase_faults(run)


def _best_faults(best: Json, curve: Sequence[Json], spec: Json) -> Iterator[str]:
    """The selected checkpoint is the first of the highest points that may be selected."""
    selectable = bool(spec["phases"]) and spec["phases"][0].get("first_evaluation") == "selectable"
    allowed = [point for point in curve if point["iteration"] > 0 or selectable]
    top = max((point["map_at_r"] for point in allowed), default=None)
    at = [point for point in curve if point["iteration"] == best["iteration"]]
    scores = ("map_at_r", "r_precision", "precision_at_1")
    if not any(all(point[name] == best[name] for name in scores) for point in at):
        yield f"its selected checkpoint at iteration {best['iteration']} is not a point of its curve"
    if top is not None and best["map_at_r"] < top:
        yield "its selected checkpoint is not the best of its curve"


def _phase_faults(run: Json) -> Iterator[str]:
    """The phases are those of the spec, none longer than its cap or its length."""
    planned = {phase["name"]: phase for phase in run["spec"]["phases"]}
    for phase in run["phases"]:
        own = planned.get(phase["name"])
        if own is None:
            yield f"its spec has no phase {phase['name']}"
            continue
        most = own.get("cap", own.get("iterations"))
        exact = phase["stop"] in ("cap", "length")
        if phase["iterations"] > most or (exact and phase["iterations"] != most):
            yield f"its phase {phase['name']} took {phase['iterations']} iterations, and {most} were planned"
        if phase["best_iteration"] > phase["iterations"]:
            yield f"its phase {phase['name']} ended before its best iteration"
    if run["spec"]["fold"] is not None and run["curve"]:
        total = sum(phase["iterations"] for phase in run["phases"])
        if run["curve"][-1]["iteration"] != total:
            yield "its phases and its curve have different lengths"


def _check_weights(bodies: Bodies, checks: Checks) -> None:
    """No two runs of one loss end with equal weights: their seeds differ, so that one would be a copy.

    Runs that differ in their setting alone may: a sweep can be over a hyper-parameter without effect.
    """
    known: dict[tuple[str, str], Json] = {}
    for run in bodies.of_kind("run"):
        if run["weights"] is None:
            continue
        loss = run["spec"]["loss"]
        key = (loss["label"] if loss else "", run["weights"])
        first = known.setdefault(key, run)
        checks.holds(
            first is run or {**first["spec"], "knobs": {}} == {**run["spec"], "knobs": {}},
            what="weights",
            where=f"run {shortened(run['id'])}",
            code="run-repeated",
            says=f"its weights are those of run {shortened(first['id'])}, which has another seed or fold. "
            "One of them is a copy.",
        )


def check_scores(bodies: Bodies, checks: Checks) -> None:
    """Hold every score to its range, its models to be recorded, and MAP@R to be the mean of its classes."""
    scores = bodies.of_kind("score")
    for score in scores:
        wrong = few(_score_faults(score, bodies))
        checks.holds(
            not wrong,
            what="scores",
            where=f"score {shortened(score['id'])}",
            code="score-inconsistent",
            says=f"{wrong}.",
        )
    classed = [score for score in scores if not _is_listed(score)]
    for test in sorted({score["spec"]["test"] for score in classed}):
        _check_class_means([score for score in classed if score["spec"]["test"] == test], checks)


def _score_faults(score: Json, bodies: Bodies) -> Iterator[str]:
    models = score["spec"]["models"]
    if len(score["each"]) != len(models) or (score["together"] is None) != (len(models) == 1):
        yield "it does not have one entry for each of its models"
    for model in models:
        if bodies.by_id.get(model, {}).get("kind") != "run":
            yield f"it scores the run {shortened(model)}, which is not in the ledger"
    for one in _models(score):
        if any(not 0 <= value <= 1 for scores in one.values() for value in _numbers(scores)):
            yield "a score is outside of [0, 1]"
        if _is_listed(score) and any(scores[PER_CLASS] for scores in one.values()):
            yield "a list of pairs has scores of classes"


def _is_listed(score: Json) -> bool:
    """Whether the images are those of a published list of pairs, which has no classes."""
    return str(score["spec"]["evaluation"]).startswith("listed_pairs:")


def _models(score: Json) -> list[Json]:
    return [*score["each"], *([score["together"]] if score["together"] else [])]


def _numbers(scores: Json) -> list[float]:
    return [value for name, value in scores.items() if name != PER_CLASS] + list(scores[PER_CLASS])


def _check_class_means(scores: Sequence[Json], checks: Checks) -> None:
    """MAP@R is the mean of the classes' MAP@R, weighted by their queries, which are the same in all scores.

    The weights are equal, or else fitted to all scores of one test half. Where a score does not fit, it is named and
    left out, and the others are looked at again.
    """
    rows = [(score["id"], own) for score in scores for one in _models(score) for own in one.values()]
    if len({len(own[PER_CLASS]) for _, own in rows}) != 1:
        checks.problem("scores", "score-inconsistent", "scores of one test half have different numbers of classes.")
        return
    while rows:
        table = np.array([own[PER_CLASS] for _, own in rows])
        means = np.array([own["map_at_r"] for _, own in rows])
        gaps = _gaps(table, means)
        if gaps is None:
            checks.skip("MAP@R as the mean of its classes: there are fewer scores than classes.")
            return
        if gaps.max() <= ROUNDED:
            checks.count("MAP@R as the mean of its classes", len(rows))
            return
        name = rows[int(gaps.argmax())][0]
        says = "its MAP@R is not the mean of its classes with the weights of the other scores."
        checks.problem(f"score {shortened(name)}", "score-inconsistent", says)
        rows = [row for row in rows if row[0] != name]


def _gaps(table: Table, means: Table) -> Table | None:
    """How far every MAP@R is from the mean of its classes; None where the weights cannot be known.

    Those of a fit are from the fit to all other rows: the residual divided by one less the leverage.
    """
    equal: Table = np.abs(table.mean(axis=1) - means)
    if np.median(equal) <= ROUNDED:
        return equal
    if len(table) <= 2 * table.shape[1]:
        return None
    inverse = np.linalg.pinv(table)
    leverage = np.einsum("ij,ji->i", table, inverse)
    gaps: Table = np.abs(table @ (inverse @ means) - means)
    if gaps.max() > ROUNDED:
        gaps /= np.maximum(1 - leverage, SURE)
    return gaps

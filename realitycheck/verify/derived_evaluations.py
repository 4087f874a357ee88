"""Scores under the evaluations that a protocol names: corrupted images, pairs of images, one threshold for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from realitycheck.verify.derived_course import DerivedRow
from realitycheck.verify.derived_scores import DerivedScores
from realitycheck.verify.derived_verdicts import DerivedVerdicts
from realitycheck.verify.digests import Json
from realitycheck.verify.estimates import Fitted
from realitycheck.verify.formulas import Scored, Value, known, mean, paired

EMBEDDER = "untrained embedder"
"""The untrained row that has scores under every evaluation."""

FARS = [float(f"{10 ** (step / 8 - 3):.3g}") for step in range(25)]
"""The false accept rates of a record: 0.001 to 1, eight for each power of ten."""

SHARES = [step / 20 for step in range(21)]
"""The shares of classes of a record: 0 to 1."""


def corruption(scores: DerivedScores) -> Json | None:
    """Every loss under every corruption; None where nothing is scored."""
    tables = [_corrupted(scores, name) for name in _named(scores, "corrupted")]
    if all(line["mean"] is None for table in tables for line in table["lines"]):
        return None
    return {"tables": tables, "rises": list(_rises(scores, tables))}


def _named(scores: DerivedScores, *kinds: str) -> list[str]:
    return [name for name in scores.declared.protocol.get("evaluations", ()) if name.split(":")[0] in kinds]


def _corrupted(scores: DerivedScores, name: str) -> Json:
    """The verdicts are those of the same rules, on the same models."""
    course, place = scores.course, scores.declared.primary
    untrained = [replace(row, evaluation=name) for row in course.untrained if row.label == EMBEDDER]
    losses = [replace(row, evaluation=name) for row in course.losses]
    own = DerivedScores(replace(course, losses=losses, untrained=untrained))
    fit = own.fit(own.method, own.columns[place])
    compared = {one["label"]: one for one in DerivedVerdicts(own).comparisons()}
    drops = _drops(scores, own)
    lines = []
    for row in losses:
        cell, verdict = own.cell(row, place, fit), compared.get(row.label)
        lines.append(
            {
                **{name: cell[name] for name in ("mean", "interval", "retraining")},
                **{"label": row.label, "drop": drops[row.label]},
                "verdict": verdict["verdict"] if verdict else None,
                "reason": (verdict["reason"] or "") if verdict else "",
                "p_holm": verdict["p_holm"] if verdict else None,
            }
        )
    kind, _, severity = name.partition(":")[2].rpartition("-")
    return {"evaluation": name, "kind": kind, "severity": int(severity), "lines": lines}


def _drops(clean: DerivedScores, corrupted: DerivedScores) -> dict[str, Json]:
    """Corrupted minus clean, seed by seed; one fit over all losses."""
    place = clean.declared.primary
    before, after = ({label: one.values for label, one in side.columns[place].items()} for side in (clean, corrupted))
    gaps = {label: Scored(paired(after[label], before[label])) for label in before}
    fit = clean.fit(clean.method, gaps)
    drops = {}
    for label, one in gaps.items():
        there, estimate = known(one.values), fit.loss(label)
        ends = estimate.ends(clean.level) if estimate and there else None
        drops[label] = {"mean": mean(there) if there else None, "interval": ends}
    return drops


def _rises(scores: DerivedScores, tables: Sequence[Json]) -> Iterator[Json]:
    """Where a mean is not below that at the next lower severity; severity 0 is clean."""
    for kind in dict.fromkeys(table["kind"] for table in tables):
        for label, column in scores.columns[scores.declared.primary].items():
            there = known(column.values)
            means: dict[int, Value] = {0: mean(there) if there else None}
            for table in tables:
                if table["kind"] == kind and table["severity"]:
                    means[table["severity"]] = next(one["mean"] for one in table["lines"] if one["label"] == label)
            steps = [(severity, value) for severity, value in sorted(means.items()) if value is not None]
            for (before, lower), (severity, higher) in pairwise(steps):
                if higher >= lower:
                    own = {"kind": kind, "before": before, "severity": severity, "gain": higher - lower}
                    yield {"label": label, **own}


def summary(values: Sequence[float], level: float) -> Json:
    """Values of single seeds, their mean, and the half-width of Student's t interval."""
    estimate = Fitted({"": Scored(list(values))}, searches=1, losses=1).loss("")
    ends = estimate.ends(level) if estimate else None
    half = (float(ends["high"]) - float(ends["low"])) / 2 if ends else None
    return {"values": list(values), "mean": mean(values) if values else None, "half_width": half}


Of = Callable[[str], list[float]]
"""The values of a metric in the replicates that have it."""


def verification(scores: DerivedScores) -> Json | None:
    """Accuracy, equal error rate and ROC of every row; None where nothing is scored."""

    def row(of: Of) -> Json | None:
        accuracy = of("verification_accuracy")
        rates = [summary(of(f"tar_at_far_{far:.3g}"), scores.level) for far in FARS]
        own = {"accuracy": summary(accuracy, scores.level), "eer": summary(of("equal_error_rate"), scores.level)}
        return {**own, "roc": rates} if accuracy else None

    return _pair_rows(scores, row, "verification", "listed_pairs")


def one_threshold(scores: DerivedScores) -> Json | None:
    """How far one threshold serves all classes, for every row; None where nothing is scored."""

    def row(of: Of) -> Json | None:
        own, common = of("own_threshold_accuracy"), of("common_threshold_accuracy")
        if not own:
            return None
        lost = [one - other for one, other in zip(own, common, strict=True)]
        columns = {"spread": of("threshold_spread"), "own": own, "common": common, "lost": lost}
        places = [summary(of(f"threshold_place_{share:.2f}"), scores.level) for share in SHARES]
        return {**{name: summary(column, scores.level) for name, column in columns.items()}, "places": places}

    return _pair_rows(scores, row, "calibration")


def _pair_rows(scores: DerivedScores, make: Callable[[Of], Json | None], *kinds: str) -> Json | None:
    rows = [*scores.course.losses, *(row for row in scores.course.untrained if row.label == EMBEDDER)]
    every = []
    for name in _named(scores, *kinds):
        pairs, seed = _drawn(scores, name)
        made = [(row.label, make(_values(scores, row, name))) for row in rows]
        own = [{"label": label, **facts} for label, facts in made if facts]
        every.append({"evaluation": name, "pairs": pairs, "seed": seed, "rows": own})
    return {"evaluations": every} if any(one["rows"] for one in every) else None


def _drawn(scores: DerivedScores, name: str) -> tuple[int, int | None]:
    """How many pairs of two classes there are, and the seed that drew them; a published list has none."""
    kind, _, options = name.partition(":")
    if kind != "listed_pairs":
        pairs, _, seed = options.partition("-")
        return int(pairs), int(seed)
    rows = [*scores.course.losses, *scores.course.untrained]
    records = [one for row in rows for replicate in row.replicates for one in replicate.scores.get(name, ())]
    return next((record["singletons"] // 2 for record in records if record), 0), None


def _values(scores: DerivedScores, row: DerivedRow, evaluation: str) -> Of:
    category = scores.declared.primary[0]

    def of(metric: str) -> list[float]:
        return known([one.score(category, metric, row.distance, evaluation) for one in row.replicates])

    return of

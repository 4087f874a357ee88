"""The second derivation agrees with the report, and its estimators with those of `statistics`."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace

import pytest
from made_studies import DESIGNS, carried_out

from realitycheck import verbs
from realitycheck.statistics.base import LossScores, MeanEstimate
from realitycheck.statistics.comparisons import holm as holm_of_the_report
from realitycheck.statistics.estimators import estimator
from realitycheck.statistics.power import detectable
from realitycheck.verify.derived_verdicts import holm
from realitycheck.verify.estimate_of_winner import KINDS
from realitycheck.verify.formulas import Estimated, Scored


def test_a_study_of_several_searches_and_runners_up_holds(tmp_path):
    protocol, study = DESIGNS["calibrated"]
    checks = verbs.verify_study(carried_out(tmp_path, protocol=protocol, study=study))
    assert checks.problems == []
    counts = checks.counted
    assert counts["proposals"] == 12
    assert counts["values of tables.json"] > 800
    assert min(counts[f"cells of {file}"] for file in ("tables.md", "index.html", "tables.tex", "tables.csv")) >= 40


def test_the_chosen_trial_is_a_run_where_it_has_a_score(tmp_path):
    """One run more than replicates for fold models, and none more for complete models, of which a search has none."""
    protocol, study = DESIGNS["the chosen trial as a run"]
    path = carried_out(tmp_path, protocol=protocol, study=study)
    assert verbs.verify_study(path).problems == []
    tables = json.loads((tmp_path / "reports" / path.stem / "tables.json").read_text())
    (dataset,) = tables["datasets"]
    chosen = {one["label"]: one["scores"] for one in dataset["near_best"] if one["chosen"]}
    places = [(row["label"], cell) for row in dataset["rows"] for cell in row["cells"] if cell["metric"] == "map_at_r"]
    assert len(places) == 3 * 3
    for label, cell in places:
        runs = [value for value in cell["values"] if value is not None]
        runs += [] if cell["category"] == "complete" else [chosen[label][cell["category"]]]
        assert cell["interval"]["n"] == len(runs)
        assert cell["interval"]["mean"] == pytest.approx(sum(runs) / len(runs), rel=1e-12)


def drawn(labels: int, *, searches: int, share: int, holes: bool, seed: int) -> dict[str, LossScores]:
    """Scores of some losses, some of which may be missing."""
    draw, scores = random.Random(seed), {}
    for number in range(labels):
        centre = draw.gauss(0.5, 0.02)
        values = [centre + draw.gauss(0, 0.01) for _ in range(searches * share)]
        near = tuple(tuple(centre + draw.gauss(0, 0.01) for _ in range(draw.randint(1, 5))) for _ in range(searches))
        classes = tuple(tuple(value + draw.gauss(0, 0.1) for _ in range(12)) for value in values)
        missing = [None if holes and number == 1 and place == 0 else value for place, value in enumerate(values)]
        winner = None if holes and number == 2 else near[0][0]
        scores[f"loss {number}"] = LossScores(missing, near, classes, winner)
    return scores


def equal(one: MeanEstimate | None, other: Estimated | None) -> bool:
    if one is None or other is None:
        return one is other is None
    pairs = [(getattr(one, name), getattr(other, name)) for name in ("mean", "error", "freedom", "p")]
    pairs.append((one.p_outside(0.02), other.p_outside(0.02)))
    pairs.append((detectable(one, alpha=0.01, wanted=0.8), other.detectable(alpha=0.01) or 0.0))
    same = (one.n, one.method, one.over) == (other.n, other.method, other.over)
    return same and all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-15) for a, b in pairs)


@pytest.mark.parametrize("labels", [2, 3, 4, 7])
@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize(
    ("method", "searches"),
    [
        ("student_t", 1),
        ("student_t", 3),
        ("pooled_winner", 1),
        ("searches_pooled", 2),
        ("searches_pooled", 4),
        ("searches_calibrated", 2),
        ("searches_calibrated", 3),
        ("runners_up", 1),
        ("class_bootstrap", 1),
        ("class_bootstrap", 2),
    ],
)
def test_two_implementations_of_an_estimator_agree(method, searches, labels, holes):
    scores = drawn(labels, searches=searches, share=3, holes=holes, seed=labels)
    if method == "searches_calibrated" and labels == 3:
        scores = {label: replace(own, near_best=()) for label, own in scores.items()}
    fit = estimator(method, level=0.95, searches=searches).fit(scores, losses=labels)
    columns = {
        label: Scored(list(own.replicates), list(own.near_best), list(own.per_class), own.winner)
        for label, own in scores.items()
    }
    second = KINDS[method](columns, searches=searches, losses=labels)
    untrained = [0.45 + 0.001 * number for number in range(3 * searches)]
    for label in scores:
        assert equal(fit.loss(label), second.loss(label))
        assert equal(fit.difference(label, "loss 0"), second.difference(label, "loss 0"))
        assert equal(fit.above(label, untrained), second.above(label, untrained))
        assert equal(fit.above(label, [0.45]), second.above(label, [0.45]))
    assert set(fit.disagreeing) == second.disagreeing
    assert list(fit.warnings) == second.warnings
    assert fit.diagnostics == pytest.approx(second.diagnostics)


def test_cochrans_test_names_the_same_loss():
    scores = drawn(6, searches=3, share=2, holes=False, seed=5)
    apart = scores["loss 2"].replicates
    scores["loss 2"] = replace(scores["loss 2"], replicates=[value + 0.5 * (n // 2) for n, value in enumerate(apart)])
    fit = estimator("searches_pooled", level=0.95, searches=3).fit(scores, losses=6)
    columns = {label: Scored(list(own.replicates)) for label, own in scores.items()}
    assert set(fit.disagreeing) == KINDS["searches_pooled"](columns, searches=3, losses=6).disagreeing == {"loss 2"}


def test_holms_correction_by_hand():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == {"a": 0.03, "b": 0.06, "c": 0.06}
    p = [random.Random(seed).random() for seed in range(9)]
    assert list(holm(dict(enumerate(p))).values()) == pytest.approx(holm_of_the_report(p))

"""The noise floor, worked out by hand from five losses and three seeds."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from made_records import together
from pages import Seen, found_in, markdown_row, markdown_section, texts_of

from realitycheck.report.rows import ScoreCell, ScoreRow
from realitycheck.report.sections import noise_floor
from realitycheck.report.sections.noise_floor import noise
from realitycheck.runs import Category
from realitycheck.statistics.base import LossScores
from realitycheck.statistics.estimators import estimator

STUDENT_T = estimator("student_t", level=0.95, searches=1)
PRIMARY = (Category.COMPLETE, "map_at_r")
SCORES = {
    "a": (0.10, 0.12, 0.14),  # mean 0.12
    "far": (0.20, 0.20, 0.20),
    "b": (0.12, 0.12, 0.15),  # 0.13
    "c": (0.13, 0.14, 0.18),  # 0.15
    "near": (0.15, 0.16, 0.17),  # 0.16
}


def rows(scores):
    return [row(label, values) for label, values in scores.items()]


def row(label, values):
    known = [value for value in values if value is not None]
    mean = sum(known) / len(known) if known else None
    cell = ScoreCell(
        *PRIMARY,
        values,
        mean,
        None,
        None,
        (mean,),
        diverged=0,
        pending=len(values) - len(known),
        scores=LossScores(values),
    )
    return ScoreRow(label, "cosine", "", trained=True, exploratory=False, late=False, constant=False, cells=(cell,))


def found(scores, same=("a", "b", "c")):
    return noise(
        rows(scores), same=same, primary=PRIMARY, estimator=estimator("student_t", level=0.95, searches=1), late=False
    )


def test_by_hand():
    floor = found(SCORES).floor(*PRIMARY)
    assert (floor.names, floor.low, floor.high) == (3, pytest.approx(0.12), pytest.approx(0.15))
    # means 0.12, 0.13, 0.15: squares of their distances from 0.13333 sum to 0.00046667
    assert floor.sd == pytest.approx(math.sqrt(0.00046667 / 2), rel=1e-4)
    assert (floor.largest.higher, floor.largest.lower, floor.largest.gap) == ("c", "a", pytest.approx(0.03))
    # differences 0.03, 0.02, 0.04: standard deviation 0.01; t(2) at 0.975 is 4.30265
    half = 4.30265 * 0.01 / math.sqrt(3)
    assert floor.largest.interval.low == pytest.approx(0.03 - half, rel=1e-5)
    assert floor.largest.interval.high == pytest.approx(0.03 + half, rel=1e-5)
    # the names' mean is 0.13333: near is 0.02667 from it, far 0.06667, and the two 0.04 from each other
    assert (floor.pairs, floor.further) == (3, 2)
    assert [(pair.higher, pair.lower) for pair in floor.closer] == [("near", "the mean of these names")]
    assert floor.closer[0].gap == pytest.approx(0.16 - 0.4 / 3)


def test_the_sentence():
    said = "Three names of one function spread over 3.00 points; 2 of 3 pairs of different losses are further apart."
    assert found(SCORES).sentence == said
    alone = {label: SCORES[label] for label in "abc"}
    assert found(alone).sentence == "Three names of one function spread over 3.00 points."


def test_pairs_rest_on_common_seeds():
    holed = SCORES | {"a": (0.10, None, 0.14), "c": (None, 0.14, 0.19)}
    floor = found(holed).floor(*PRIMARY)
    # a and c share the last seed alone: 0.05 apart, and no interval
    assert (floor.largest.higher, floor.largest.gap, floor.largest.interval) == ("c", pytest.approx(0.05), None)
    # all names have a score under the last seed alone: their mean is (0.14 + 0.15 + 0.19) / 3 = 0.16 there
    assert [pair.gap for pair in floor.closer] == pytest.approx([0.01, 0.04, 0.04])


def test_names_without_scores_wait():
    nothing = (None, None, None)
    assert found(SCORES | {"b": nothing}).floor(*PRIMARY).names == 2
    waiting = found(SCORES | {"b": nothing, "c": nothing})
    assert waiting.floors == ()
    assert waiting.sentence == "Three names of one function have no scores so far."


def test_nothing_is_said_where_no_losses_are_the_same(study, dataset):
    assert found(SCORES, same=()) is None
    assert found_in(study, dataset, noise_floor.SECTION) is None
    texts = texts_of(study, [dataset])
    assert "Noise floor" not in texts["tables.md"] + texts["index.html"]
    assert json.loads(texts["tables.json"])["datasets"][0]["noise"] is None


def test_a_study_has_a_floor_in_every_column(study, dataset):
    texts = texts_of(study.model_copy(update={"same": ("circle", "soft_triple")}), [dataset])
    means = {loss.label: sum(together(loss)) / 4 for loss in dataset.losses[1:]}
    spread = f"{100 * abs(means['circle'] - means['soft_triple']):.2f}"
    floor = json.loads(texts["tables.json"])["datasets"][0]["noise"]
    assert floor["labels"] == ["circle", "soft_triple"]
    assert [column["metric"] for column in floor["floors"]] == ["map_at_r", "r_precision", "precision_at_1"] * 3
    assert floor["sentence"].startswith(f"Two names of one function spread over {spread} points; ")
    table = markdown_section(texts["tables.md"], "Noise floor")
    assert markdown_row(table.replace("**", ""), "ensemble-512 MAP@R")[1] == spread
    assert Seen(texts["index.html"]).text.count(floor["sentence"]) == 2  # below the answer, and in the section


def test_names_declared_after_the_opening_are_late(study, dataset):
    study = study.model_copy(update={"same": ("circle", "soft_triple")})
    opening = replace(dataset.openings[0], claims={"same": []})
    late = replace(dataset, openings=(opening,), claims={"same": ["circle", "soft_triple"]})
    for evidence, there in ((late, True), (dataset, False)):
        assert found_in(study, evidence, noise_floor.SECTION).late is there
        assert (noise_floor.LATE in texts_of(study, [evidence])["tables.md"]) is there

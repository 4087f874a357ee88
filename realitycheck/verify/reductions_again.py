"""Chosen values at which a loss is another loss (docs/losses.md, *Becomes*)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from realitycheck.verify.declared import place_of
from realitycheck.verify.derived_course import DerivedCourse
from realitycheck.verify.digests import Json

NEAR = 0.01
"""The share of its range by which a value may differ."""

REAL = ("uniform", "log_uniform")
"""Ranges of real numbers."""

WRAPPED = "the wrapped loss"

BECOMES: tuple[tuple[str, str, str], ...] = (
    ("cosface", "margin 0", "normalized_softmax"),
    ("arcface", "margin 0", "normalized_softmax"),
    ("arcface_periodic", "margin 0", "normalized_softmax"),
    ("sphereface_r", "margin 1", "normalized_softmax"),
    ("magface", "lower_margin 0, margin_gap 0, norm_weight 0", "normalized_softmax"),
    ("soft_triple", "centers 1, margin 0", "normalized_softmax"),
    ("soft_triple", "centers 1", "cosface"),
    ("proxy_gml", "ratio 1, centers 1, regularizer 0", "normalized_softmax"),
    ("warped_softmax", "inner_slope 1, outer_slope 1", "euclidean_softmax"),
    ("softmax_ablation", "own identity, other identity", "euclidean_softmax"),
    ("softmax_ablation", "own inner_warp, other identity, inner_slope 1", "euclidean_softmax"),
    ("softmax_ablation", "own outer_warp, other identity, outer_slope 1", "euclidean_softmax"),
    ("softmax_ablation", "own warp, other identity, inner_slope 1, outer_slope 1", "euclidean_softmax"),
    ("softmax_ablation", "own warp, other identity", "warped_softmax"),
    ("roadmap", "mix 1", "contrastive_cosine"),
    ("cross_batch_memory", "memory_weight 0", WRAPPED),
    ("hierarchical_proxy", "coarse_weight 0", WRAPPED),
    ("threshold_consistent_margin", "positive_weight 0, negative_weight 0", WRAPPED),
)
"""Loss, values and the other loss; the first line that holds counts."""


def reduced(course: DerivedCourse) -> Iterator[Json]:
    """What `tables.json` says of each search that chose such values."""
    for row in course.losses:
        address = str(course.declared.loss(row.label)["address"])
        space = course.declared.space(row.label)
        for search in row.searches:
            if search.chosen is not None and (values := _first(address, search.chosen.knobs, space)):
                yield {"label": row.label, "search": search.number, "numbers": values}


def _first(address: str, chosen: Json, space: Json) -> Json | None:
    outer, _, inner = address.removesuffix(")").partition("(")
    for loss, values, other in BECOMES:
        wanted = dict(re.findall(r"(\w+) (\w+)", values))
        if loss != outer or not any(isinstance(space.get(name), dict) for name in wanted):
            continue
        if all(name in chosen and _near(space.get(name), chosen[name], text) for name, text in wanted.items()):
            return {**{name: chosen[name] for name in wanted}, "becomes": inner if other == WRAPPED else other}
    return None


def _near(bounds: Any, value: Any, text: str) -> bool:
    """Whether a value is that of the line, or of a range of real numbers and less than 1 % of it away."""
    if isinstance(value, str):
        return value == text
    if text.isdigit() and value == int(text):
        return True
    ends = next((bounds[kind] for kind in REAL if kind in bounds), None) if isinstance(bounds, dict) else None
    if ends is None or not text.isdigit() or not ends[0] <= int(text) <= ends[1]:
        return False
    return abs(float(place_of(bounds, value)) - float(place_of(bounds, int(text)))) <= NEAR

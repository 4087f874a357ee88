"""Every number of `tables.json` a second time, and the comparison with it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from realitycheck.verify import derived_declarations as declarations
from realitycheck.verify import derived_searches
from realitycheck.verify.checks import Checks
from realitycheck.verify.declared import DeclaredStudy
from realitycheck.verify.derived_classes import per_class
from realitycheck.verify.derived_course import DerivedCourse
from realitycheck.verify.derived_effects import shared_effects
from realitycheck.verify.derived_evaluations import corruption, one_threshold, verification
from realitycheck.verify.derived_floor import noise_floor
from realitycheck.verify.derived_knobs import proxy_distances, sweeps
from realitycheck.verify.derived_scores import DerivedScores
from realitycheck.verify.derived_verdicts import DerivedVerdicts
from realitycheck.verify.derived_warnings import FROM_NOTES, correlations, find_again
from realitycheck.verify.digests import Json
from realitycheck.verify.pair_simulation import check_ranks
from realitycheck.verify.shown_images import neighbor_facts

CLOSE = 1e-7
"""Two numbers that differ by less, relative to the larger one, are equal but for the order of sums."""

LAYOUT = 1
"""The version of `tables.json` that is known."""


class NumbersAgain:
    """The numbers of a study.

    Args:
        study: the study.
        courses: its course on each dataset.
        texts: its files.
    """

    def __init__(self, study: DeclaredStudy, courses: Sequence[DerivedCourse], texts: Mapping[str, str]) -> None:
        self.study, self.courses, self.texts = study, list(courses), texts
        self.scores = [DerivedScores(course) for course in self.courses]
        self.verdicts = [DerivedVerdicts(one) for one in self.scores]
        self.datasets = [self._dataset(*both) for both in zip(self.scores, self.verdicts, strict=True)]

    def _dataset(self, scores: DerivedScores, verdicts: DerivedVerdicts) -> Json:
        course = scores.course
        marks = {"exploratory": declarations.exploratory(course), "late": declarations.late(course)}
        gains = verdicts.gains()
        helped = {"gains": gains, "first_best": derived_searches.first_best(course)} if gains else None
        return {
            "dataset": course.declared.dataset,
            "rows": [{**row, "status": self.study.statuses[row["label"]]} for row in scores.rows(**marks)],
            "untrained": [{**row, "status": ""} for row in scores.untrained()],
            **self._defaults(scores, marks["exploratory"]),
            "comparisons": verdicts.comparisons(),
            "beside": verdicts.others(),
            "beside_method": verdicts.beside,
            "diagnostics": scores.fits[scores.declared.primary].diagnostics,
            "against_untrained": helped,
            "searches": derived_searches.searches(course),
            "near_best": derived_searches.near_best(scores) or None,
            "shared_effects": shared_effects(scores),
            "search_effort": derived_searches.search_effort(course),
            "endings": derived_searches.endings(course),
            "facts": derived_searches.facts(course),
            "openings": declarations.openings(course),
            "warnings": find_again(scores),
            "correlations": correlations(scores),
            "noise": noise_floor(scores),
            "per_class": per_class(course),
            "neighbors": neighbor_facts(course),
            "corruption": corruption(scores),
            "verification": verification(scores),
            "one_threshold": one_threshold(scores),
            "proxy_distances": proxy_distances(scores),
            "sweeps": sweeps(scores),
        }

    def _defaults(self, scores: DerivedScores, exploratory: Collection[str]) -> Json:
        course = scores.course
        if not course.defaults:
            return {}
        every = [row.label for row in course.losses]
        rows = scores.defaults(exploratory=every if declarations.defaults_added(course) else exploratory)
        named = zip(rows, every, strict=True)
        return {"defaults": [{**row, "status": self.study.statuses[label]} for row, label in named]}

    @property
    def compare(self) -> str:
        """Whether losses are compared with the baseline alone, or all pairs as well."""
        return str(self.study.study["compare"])

    def study_keys(self) -> Json:
        """The keys of the study itself."""
        study = self.study.study
        protocol = study["protocol"]
        width = {"aggregate": 1}
        names = {
            one: f"{one}-{protocol['embedding_dim'] * width.get(one, protocol['folds']['count'])}"
            for one in protocol["categories"]
        }
        shapes = [protocol["batches"][loss["family"]] for loss in study["losses"]]
        return {
            **{name: study[name] for name in ("study", "question", "baseline")},
            "protocol": protocol["protocol"],
            **study["primary"],
            "categories": names,
            "smallest_difference": study["smallest_difference"] / 100,
            "level": protocol["interval"]["level"],
            "seeds": protocol["final"]["seeds"],
            "searches_per_loss": protocol["search"]["searches"],
            "sources": dict(self.texts),
            "treatments": [
                {**{name: loss[name] for name in ("label", "distance")}, **_shape(shape)}
                for loss, shape in zip(study["losses"], shapes, strict=True)
            ],
            "statuses": dict(self.study.statuses),
            "two_phases": len(protocol["phases"]) > 1,
            **declarations.registrations(self.courses, self.texts),
        }

    def check_json(self, reported: Json, checks: Checks) -> None:
        """Hold the body of `tables.json` to these numbers."""
        name = "tables.json"
        if reported.get("version") != LAYOUT:
            checks.skip(f"{name}: its layout {reported.get('version')} is not known to this release.")
            return
        compare(self.study_keys(), reported, name, checks)
        theirs = {one["dataset"]: one for one in reported["datasets"]}
        checks.holds(
            list(theirs) == [one["dataset"] for one in self.datasets],
            what="datasets",
            where=name,
            code="table-differs",
            says="its datasets are not those of the study that have records.",
        )
        for own, scores, verdicts in zip(self.datasets, self.scores, self.verdicts, strict=True):
            other = theirs.get(own["dataset"])
            if other is not None:
                where = f"{name}, {own['dataset']}"
                kept = [one for one in other.get("warnings", ()) if one["code"] not in FROM_NOTES]
                compare(own, {**other, "warnings": kept}, where, checks)
                check_ranks(scores, verdicts, other.get("ranks"), f"{where}, ranks", checks)


def _shape(batch: Json) -> Json:
    return {name: batch[name] for name in ("classes", "per_class")}


def compare(expected: Any, reported: Any, where: str, checks: Checks) -> None:
    """Hold a value of a table to the expected one; further keys of an object are not looked at."""
    if isinstance(expected, Mapping) and isinstance(reported, Mapping):
        for key, value in expected.items():
            if key not in reported:
                checks.problem(where, "table-differs", f"the key {key} is missing.")
            else:
                compare(value, reported[key], f"{where}: {key}" if ": " not in where else f"{where}.{key}", checks)
        return
    if isinstance(expected, list | tuple) and isinstance(reported, list):
        _compare_lists(expected, reported, where, checks)
        return
    says = f"it is {_shown(reported)}, and the records lead to {_shown(expected)}."
    checks.holds(_equal(expected, reported), what="values of tables.json", where=where, code="table-differs", says=says)


def _compare_lists(expected: Sequence[Any], reported: Sequence[Any], where: str, checks: Checks) -> None:
    if len(expected) != len(reported):
        says = f"it has {len(reported)} entries, and the records lead to {len(expected)}."
        checks.problem(where, "table-differs", says)
        return
    for place, (one, other) in enumerate(zip(expected, reported, strict=True)):
        name = one.get("label", place) if isinstance(one, Mapping) else place
        compare(one, other, f"{where}[{name}]", checks)


def _equal(expected: Any, reported: Any) -> bool:
    if isinstance(expected, bool) or isinstance(reported, bool) or expected is None or reported is None:
        return expected is reported
    if isinstance(expected, int | float) and isinstance(reported, int | float):
        return math.isclose(expected, reported, rel_tol=CLOSE, abs_tol=1e-12)
    return bool(expected == reported)


def _shown(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"

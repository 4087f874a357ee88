"""Walk through the records in the order in which a study makes them, by the ids that its files lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from realitycheck.verify.declared import UNTRAINED, Declared
from realitycheck.verify.derived_course import (
    DerivedCourse,
    DerivedReplicate,
    DerivedRow,
    DerivedSearch,
    DerivedSweep,
    DerivedTrial,
    by_number,
)
from realitycheck.verify.digests import Json, opening_key, proposal_key, selection_key, sha256_of
from realitycheck.verify.lengths_again import complete_phases, growth, near_trials, retraining_noise
from realitycheck.verify.shown_images import listing_key, shown_models

MOST = 5
"""Near-best settings of one search, the chosen one among them."""

ROWS = {"untrained embedder": "clean", "untrained trunk": "trunk"}
"""The untrained rows of every study and their evaluations; a foundation has one of its own."""


class Walk:
    """Derive the course of a study on one dataset.

    Args:
        declared: what its files declare.
        bodies: every record by id.
    """

    def __init__(self, declared: Declared, bodies: Mapping[str, Json]) -> None:
        self.declared, self.bodies = declared, bodies
        self.course = DerivedCourse(declared)
        every: list[str] = list(declared.protocol.get("evaluations", ()))
        self.frozen = {f"frozen {name[11:-17]}": name for name in every if name.startswith("foundation:")}
        self.named = [name for name in every if name not in self.frozen.values()]

    def derived(self) -> DerivedCourse:
        """The whole course."""
        course, declared = self.course, self.declared
        for label in declared.whole.labels:
            searches = [self._search(label, number) for number in range(declared.searches)]
            course.losses.append(DerivedRow(label, declared.loss(label)["distance"], "clean", searches))
            self._swept(searches[0])
            self._default(course.losses[-1])
        self._near_best()
        self._untrained()
        self._neighbors()
        course.tested = self.tested
        course.openings = [one for one in by_number(self.bodies, "opening") if one["test"] == declared.test]
        course.registrations = by_number(self.bodies, "registration")
        return course

    def find(self, key: str, kind: str) -> Json | None:
        """The record of an id and a kind; it is seen to belong to the study."""
        body = self.bodies.get(key)
        if body is None or body["kind"] != kind:
            return None
        self.course.seen.add(key)
        return body

    def _search(self, label: str, number: int) -> DerivedSearch:
        declared = self.declared
        key = declared.search_key(label, number)
        search = DerivedSearch(label, number, key, declared.trials)
        for slot in range(declared.trials):
            if body := self.find(proposal_key(key, slot), "proposal"):
                search.trials.append(self._trial(label, number, body))
        self._choose(search)
        if search.chosen:
            factor = growth(declared)
            knobs = search.chosen.for_loss(), search.chosen.for_loss(factor)
            search.replicates = self._replicates(label, number, *knobs)
        return search

    def _trial(self, label: str, number: int, body: Json) -> DerivedTrial:
        trial = DerivedTrial(body["slot"], body["knobs"], body["source"], body["unit"], [])
        trial.runs = self._folds(label, number, stage="search", index=body["slot"], knobs=trial.for_loss())
        return trial

    def _choose(self, search: DerivedSearch) -> None:
        """The highest mean, ties to the lowest slot; or the trial of the selection by posterior mean."""
        if len(search.trials) < search.planned or not all(trial.complete for trial in search.trials):
            return
        valued = [trial for trial in search.trials if trial.value is not None]
        if not valued:
            return
        if self.declared.protocol["search"].get("select", "best") == "best":
            search.chosen = max(valued, key=lambda trial: (trial.value, -trial.slot))
            return
        selection = self.find(selection_key(search.key, search.planned), "selection")
        search.selecting = selection is None
        if selection is not None:
            search.chosen, search.means = search.trials[selection["slot"]], selection["means"]

    def _folds(self, label: str, number: int, *, stage: str, index: int, knobs: Json) -> list[Json | None]:
        specs = (
            self.declared.run(label, number, stage=stage, index=index, fold=fold, knobs=knobs)
            for fold in range(self.declared.folds)
        )
        return [self.find(sha256_of(spec), "run") for spec in specs]

    def _complete(self, label: str, number: int, index: int, knobs: Json, basis: Sequence[Json | None]) -> Json | None:
        phases = [] if label == UNTRAINED else complete_phases(self.declared, label, basis)
        if phases is None or (None in basis and label != UNTRAINED):  # untrained models wait for no fold runs
            return None
        spec = self.declared.run(label, number, stage="final", index=index, fold=None, knobs=knobs, phases=phases)
        return self.find(sha256_of(spec), "run")

    def _replicates(self, label: str, number: int, knobs: Json, complete_knobs: Json) -> list[DerivedReplicate]:
        declared = self.declared
        indices = declared.replicates(number)
        folds = [self._folds(label, number, stage="final", index=index, knobs=knobs) for index in indices]
        pooled = declared.protocol["final"]["complete"] == "appendix_d"
        every = [run for runs in folds for run in runs]
        trunk = label == UNTRAINED and not declared.constant
        evaluations = ["clean", *(["trunk"] if trunk else []), *self.named]
        replicates = []
        for index, own in zip(indices, folds, strict=True):
            complete = self._complete(label, number, index, complete_knobs, every if pooled else own)
            scores = {name: self._scores(own, complete, name) for name in evaluations}
            replicates.append(DerivedReplicate(index, number, own, complete, scores))
        return replicates

    def _scores(
        self, folds: Sequence[Json | None], complete: Json | None, evaluation: str
    ) -> tuple[Json | None, Json | None]:
        return self._score(folds, evaluation), self._score([complete], evaluation)

    def _score(self, runs: Sequence[Json | None], evaluation: str) -> Json | None:
        models = [run["id"] for run in runs if run is not None and run["outcome"] == "completed"]
        if len(models) < len(runs) or self.declared.test is None:
            return None
        return self.find(self.declared.score(models, evaluation), "score")

    def _default(self, row: DerivedRow) -> None:
        """The row of the setting in slot 0 of every search of a loss, where the study asks for it."""
        if not self.declared.study.get("default_rows"):
            return
        searches, factor = [], growth(self.declared)
        for search in row.searches:
            first = search.trials[0] if search.trials and search.trials[0].slot == 0 else None
            knobs = (first.for_loss(), first.for_loss(factor)) if first else None
            own = self._replicates(row.label, search.number, *knobs) if knobs else []
            searches.append(replace(search, replicates=own, near=[]))
        self.course.defaults.append(DerivedRow(f"{row.label} (default)", row.distance, row.evaluation, searches))

    def _swept(self, search: DerivedSearch) -> None:
        """The runs of the sweeps of a loss: its chosen setting with another value, under its first seeds."""
        sweep = self.declared.study.get("sweep")
        if sweep is None or search.chosen is None:
            return
        indices = self.declared.replicates(0)[: sweep["seeds"]]
        for knob, grid in sweep["knobs"].get(search.label, {}).items():
            own, points = search.chosen.knobs[knob], []
            for value in sorted({own, *grid_values(grid, self.declared.space(search.label)[knob])}):
                trial = replace(search.chosen, knobs={**search.chosen.knobs, knob: value})
                models = [search.replicates[place] for place in range(len(indices))] if value == own else []
                points.append((value, models or self._swept_models(search, indices, trial)))
            self.course.sweeps.append(DerivedSweep(search.label, knob, own, points))

    def _swept_models(
        self, search: DerivedSearch, indices: Sequence[int], trial: DerivedTrial
    ) -> list[DerivedReplicate]:
        """A value under each seed, with the scores of the primary category where the opening declares the sweep."""
        label, complete = search.label, self.declared.primary[0] == "complete"
        folds = [self._folds(label, 0, stage="final", index=one, knobs=trial.for_loss()) for one in indices]
        every = [run for runs in folds for run in runs]
        pooled = self.declared.protocol["final"]["complete"] == "appendix_d"
        models = []
        for index, own in zip(indices, folds, strict=True):
            one = DerivedReplicate(index, 0, own, None, {})
            if self.tested:
                factor = trial.for_loss(growth(self.declared))
                whole = self._complete(label, 0, index, factor, every if pooled else own) if complete else None
                one.scores["clean"] = (
                    (None, self._score([whole], "clean")) if complete else (self._score(own, "clean"), None)
                )
                one.complete = whole
            models.append(one)
        return models

    @property
    def tested(self) -> bool:
        """Whether swept models are scored: the opening of the plan, where there is one, declares the sweep."""
        wanted, opening = self.declared.claims.get("sweep"), self.bodies.get(opening_key(self.declared.plan))
        return wanted is not None and (opening is None or opening["claims"].get("sweep") == wanted)

    def _near_best(self) -> None:
        """The runners-up of every search, once every fold run of the losses that count is recorded."""
        course, declared = self.course, self.declared
        opening = self.find(opening_key(declared.plan), "opening")
        labels = set(opening["searches"]) if opening else set(declared.whole.labels)
        counted = [search for row in course.losses if row.label in labels for search in row.searches]
        if not declared.runners_up or not all(map(_validated, counted)):
            return
        course.noise = retraining_noise(counted)
        for row in course.losses:
            for search in row.searches:
                if search.chosen and course.noise is not None:
                    self._near_of(search, course.noise)

    def _near_of(self, search: DerivedSearch, noise: float) -> None:
        declared, factor = self.declared, growth(self.declared)
        trials = near_trials(declared, search, noise, most=MOST)[: 1 + declared.runners_up]
        first = declared.replicates(search.number)[0]
        for place, trial in enumerate(trials):
            if place == 0:
                complete = search.replicates[0].complete
            elif "complete" in declared.categories:
                knobs = trial.for_loss(factor)
                complete = self._complete(search.label, search.number, first, knobs, trial.runs)
            else:
                complete = None
            scores = {name: self._scores(trial.runs, complete, name) for name in ("clean", *self.named)}
            search.near.append((trial, DerivedReplicate(first, search.number, trial.runs, complete, scores)))

    def _untrained(self) -> None:
        declared = self.declared
        searches = []
        for number in range(declared.searches):
            one = DerivedSearch(UNTRAINED, number, "", 0)
            one.replicates = self._replicates(UNTRAINED, number, {}, {})
            searches.append(one)
        for label, evaluation in (ROWS | self.frozen).items():
            fixed = label in self.frozen or (declared.constant and evaluation == "trunk")
            own = [self._constant(searches[0], evaluation)] if fixed else searches
            self.course.untrained.append(DerivedRow(label, "cosine", evaluation, own, constant=fixed, trained=False))

    def _neighbors(self) -> None:
        """The list of nearest neighbours of every loss and of the untrained embedder, where the opening has queries."""
        opening = self.bodies.get(opening_key(self.declared.plan), {})
        for row in self.course.rows if opening.get("queries") else []:
            if row.evaluation == "clean" and (models := shown_models(self.declared, row)):
                key = listing_key(self.declared.test, models, row.distance, opening["queries"])
                row.neighbors = self.find(key, "neighbors")

    def _constant(self, first: DerivedSearch, evaluation: str) -> DerivedSearch:
        """One untrained model, whose score is that of every category and seed."""
        run = first.replicates[0].folds[0]
        score = self._score([run], evaluation)
        if score is not None:
            score = {**score, "together": score["each"][0]}
        replicate = DerivedReplicate(0, 0, [run], None, {evaluation: (score, score)})
        return DerivedSearch(UNTRAINED, 0, "", 0, replicates=[replicate])


def _validated(search: DerivedSearch) -> bool:
    return search.done and all(run is not None for one in search.replicates for run in one.folds)


def grid_values(grid: Json, searched: Json | float) -> list[float | int]:
    """The values of a grid to six digits; whole numbers where the search's are."""
    low, high = grid.get("linear") or grid["log"]
    steps = grid["points"] - 1
    if grid.get("linear"):
        values = [low + (high - low) * (step / steps) for step in range(steps + 1)]
    else:
        values = [low * (high / low) ** (step / steps) for step in range(steps + 1)]
    whole = type(searched) is int or (isinstance(searched, dict) and "int" in next(iter(searched)))
    rounded = [float(f"{value:.6g}") for value in values]
    return [round(value) for value in rounded] if whole else list(rounded)

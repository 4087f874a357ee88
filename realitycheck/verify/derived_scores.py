"""The rows of the table of scores: every value, its mean, its intervals, and how many are missing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property

from realitycheck.verify.derived_course import DerivedCourse, DerivedRow, DerivedSearch, missing_categories
from realitycheck.verify.digests import Json
from realitycheck.verify.estimate_of_winner import KINDS
from realitycheck.verify.estimates import Fitted
from realitycheck.verify.formulas import Scored, Value, known, mean, within_searches

Place = tuple[str, str]
"""A category and a metric."""


class DerivedScores:
    """The scores of a study on one dataset.

    Args:
        course: the course of the study.
    """

    def __init__(self, course: DerivedCourse) -> None:
        self.course, self.declared = course, course.declared
        self.method = str(self.declared.protocol["interval"]["method"])
        self.level = float(self.declared.protocol["interval"]["level"])
        self.places = [(category, metric) for category in self.declared.categories for metric in self.declared.metrics]

    @cached_property
    def columns(self) -> dict[Place, dict[str, Scored]]:
        """The scores of every loss by category and metric."""
        return {place: {row.label: self.column(row, place) for row in self.course.losses} for place in self.places}

    @cached_property
    def fits(self) -> dict[Place, Fitted]:
        """The estimator of the protocol, in every column."""
        return {place: self.fit(self.method, columns) for place, columns in self.columns.items()}

    def fit(self, method: str, columns: dict[str, Scored], losses: int | None = None) -> Fitted:
        """An estimator on some columns; its rules depend on the number of losses that the study declares."""
        count = len(self.declared.whole.labels) if losses is None else losses
        return KINDS[method](columns, searches=self.declared.searches, losses=count)

    def values(self, row: DerivedRow, place: Place) -> list[Value]:
        """One score per replicate, search by search; None for a missing one."""
        values: list[Value] = []
        for search in row.searches:
            numbers = [0] if row.constant else self.declared.replicates(search.number)
            own = {one.index: one.score(*place, row.distance, row.evaluation) for one in search.replicates}
            values += [own.get(index) for index in numbers]
        return values

    def column(self, row: DerivedRow, place: Place) -> Scored:
        """The scores of one loss with those of its near-best settings and of its classes."""
        values = self.values(row, place)
        near = [self._near(row, search, place) for search in row.searches]
        whole = [scores for scores in near if scores]
        classes = [one.classes(place[0], row.distance, row.evaluation) for one in row.replicates]
        by_class = place[1] == "map_at_r" and len(classes) == len(values)
        winner = self._winner(row, place) if len(near) == len(whole) == 1 else None
        return Scored(values, whole if len(whole) == len(near) else [], classes if by_class else [], winner)

    def _winner(self, row: DerivedRow, place: Place) -> Value:
        """The chosen trial of the only search, by its fold models; the trial of a search has no complete one."""
        (search,) = row.searches
        _, models = search.near[0]
        return None if place[0] == "complete" else models.score(*place, row.distance, row.evaluation)

    def _near(self, row: DerivedRow, search: DerivedSearch, place: Place) -> tuple[float, ...] | None:
        """None while a near-best setting lacks a score that it can still get."""
        values = []
        for rank, (_, models) in enumerate(search.near):
            if place[0] == "complete" and self._complete_lost(row, search, rank):
                continue
            value = models.score(*place, row.distance, row.evaluation)
            if value is None:
                return None
            values.append(value)
        return tuple(values)

    def _complete_lost(self, row: DerivedRow, search: DerivedSearch, rank: int) -> bool:
        complete = search.near[rank][1].complete
        if rank:
            return complete is not None and complete["outcome"] == "diverged"
        alone = DerivedRow(row.label, row.distance, row.evaluation, [search])
        return missing_categories(alone, self.declared, "complete")[0]

    def rows(self, *, exploratory: Collection[str], late: Collection[str]) -> list[Json]:
        """The rows of the losses, as `tables.json` holds them."""
        rows = []
        for row in self.course.losses:
            cells = [self.cell(row, place, self.fits[place]) for place in self.places]
            own = {"exploratory": row.label in exploratory, "late": row.label in late}
            rows.append({**_head(row), **own, "cells": cells})
        return rows

    def untrained(self) -> list[Json]:
        """The rows of untrained models; their intervals are Student's t over seeds."""
        return self._unsearched(self.course.untrained)

    def defaults(self, *, exploratory: Collection[str]) -> list[Json]:
        """The rows of published settings, with the same intervals; named are the losses whose rows are exploratory."""
        rows = self._unsearched(self.course.defaults)
        labels = [row.label for row in self.course.losses]
        return [{**row, "exploratory": label in exploratory} for row, label in zip(rows, labels, strict=True)]

    def _unsearched(self, unsearched: Sequence[DerivedRow]) -> list[Json]:
        rows = []
        for row in unsearched:
            cells = []
            for place in self.places:
                column = {row.label: Scored(self.values(row, place))}
                fit = None if row.constant else Fitted(column, searches=1, losses=1)
                cells.append(self.cell(row, place, fit))
            rows.append({**_head(row), "exploratory": False, "late": False, "cells": cells})
        return rows

    def cell(self, row: DerivedRow, place: Place, fit: Fitted | None) -> Json:
        """One cell."""
        values = self.values(row, place)
        there = known(values)
        alone = within_searches(self._parts(row, place), level=self.level) if fit else None
        own = fit.loss(row.label) if fit else None
        gone = self._gone(row, place[0])
        return {
            "category": place[0],
            "metric": place[1],
            "values": values,
            "mean": mean(there) if there else None,
            "interval": own.ends(self.level) if own else None,
            "retraining": alone,
            "search_means": self._search_means(row, place),
            "diverged": gone,
            "pending": len(values) - len(there) - gone,
        }

    def _gone(self, row: DerivedRow, category: str) -> int:
        """Replicates that cannot have a score: a run diverged, or every trial of their search did."""
        lost = sum(missing_categories(row, self.declared, category))
        return lost + sum(len(self.declared.replicates(one.number)) for one in row.searches if one.all_diverged)

    def _search_means(self, row: DerivedRow, place: Place) -> list[Value]:
        values = self.values(row, place)
        share = len(values) // len(row.searches)
        parts = [known(values[share * one : share * (one + 1)]) for one in range(len(row.searches))]
        return [mean(part) if part else None for part in parts]

    def _parts(self, row: DerivedRow, place: Place) -> list[list[float]]:
        """The known values of each setting: of each search, or all of them where nothing is searched."""
        values = self.values(row, place)
        settings = len(row.searches) if row in self.course.losses else 1
        share = len(values) // settings
        return [known(values[share * one : share * (one + 1)]) for one in range(settings)]


def _head(row: DerivedRow) -> Json:
    return {"label": row.label, "distance": row.distance, "constant": row.constant, "trained": row.trained}

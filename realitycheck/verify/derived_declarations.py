"""Openings, registrations, and what the study did otherwise than these say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from realitycheck.verify.derived_course import DerivedCourse
from realitycheck.verify.digests import Json

UNSAID = {"compare": "baseline", "select": "best", "default_rows": False}
"""Claims that a record holds only where they are others."""


NO_VERDICT = {"same", "sweep", "default_rows"}
"""Claims on which no verdict depends."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a record declared on one dataset: the searches of each loss, and the claims."""

    searches: Json
    claims: Json

    def changed(self, course: DerivedCourse) -> set[str]:
        """The claims that are others by now."""
        before, after = {**UNSAID, **self.claims}, {**UNSAID, **course.declared.claims}
        return {name for name, value in before.items() if after.get(name) != value}

    def added(self, course: DerivedCourse) -> list[str]:
        """Losses that it does not have."""
        return [label for label in course.declared.whole.labels if label not in self.searches]

    def dropped(self, course: DerivedCourse) -> list[str]:
        """Losses that only it has."""
        return sorted(set(self.searches) - set(course.declared.whole.labels))

    def otherwise(self, course: DerivedCourse) -> list[str]:
        """Losses with other searches."""
        keys = {row.label: [search.key for search in row.searches] for row in course.losses}
        return [label for label, own in keys.items() if list(self.searches.get(label, own)) != own]

    def undeclared(self, course: DerivedCourse) -> set[str]:
        """Losses of which a part is not declared: all of them where a claim changed or a loss was dropped."""
        if self.changed(course) - NO_VERDICT or self.dropped(course):
            return set(course.declared.whole.labels)
        return {*self.added(course), *self.otherwise(course)}

    def deviations(self, course: DerivedCourse) -> Iterator[str]:
        """One phrase for each."""
        yield from (f"{name.replace('_', ' ')} changed" for name in sorted(self.changed(course)))
        yield from (f"{label} added" for label in self.added(course))
        yield from (f"{label} dropped" for label in self.dropped(course))
        yield from (f"{label} searched otherwise" for label in self.otherwise(course))


def said_by(registration: Json, course: DerivedCourse) -> Said:
    """What a registration declares on the dataset."""
    dataset = course.declared.dataset
    return Said(registration["searches"].get(dataset, {}), registration["claims"].get(dataset, {}))


def after_opening(course: DerivedCourse) -> set[str]:
    """Losses of which a part was decided after the first opening."""
    undeclared: set[str] = set()
    for opening in course.openings[:1]:
        searches = {**opening["searches"], **opening.get("set_aside", {})}
        undeclared |= Said(searches, opening["claims"]).undeclared(course)
    return undeclared


def changed_since_opening(course: DerivedCourse) -> set[str]:
    """Claims on which verdicts depend, and that are others than at the first opening."""
    changed: set[str] = set()
    for opening in course.openings[:1]:
        changed |= Said({}, opening["claims"]).changed(course) - NO_VERDICT
    return changed


def defaults_added(course: DerivedCourse) -> bool:
    """Whether the rows of published settings were asked for, or left out, after the first opening."""
    return any("default_rows" in Said({}, one["claims"]).changed(course) for one in course.openings[:1])


def before_opening(course: DerivedCourse) -> list[Json]:
    """The registrations on the dataset that came before its first opening."""
    dataset = course.declared.dataset
    there = [one for one in course.registrations if dataset in one["plans"]]
    first = course.openings[:1]
    return [one for one in there if not first or one["openings"][dataset] <= first[0]["number"]]


def unregistered(course: DerivedCourse) -> set[str]:
    """Losses of which a part is not in the last registration before the first opening."""
    return said_by(before_opening(course)[-1], course).undeclared(course) if before_opening(course) else set()


def exploratory(course: DerivedCourse) -> set[str]:
    """Losses that were decided after the opening, or not registered."""
    return after_opening(course) | unregistered(course)


def late(course: DerivedCourse) -> set[str]:
    """Losses that were set aside at the first opening and are done by now."""
    done = {row.label for row in course.losses if all(search.done for search in row.searches)}
    return {label for opening in course.openings[:1] for label in opening.get("set_aside", {}) if label in done}


def openings(course: DerivedCourse) -> list[Json]:
    """The openings of the test half, as `tables.json` holds them."""
    return [{"losses": list(one["searches"]), "before": one["number"]} for one in course.openings]


def registrations(courses: list[DerivedCourse], texts: Mapping[str, str]) -> Json:
    """The registrations with all deviations, and what was not registered in time."""
    records = courses[0].registrations if courses else []
    late_ones = {course.declared.dataset: sorted(unregistered(course)) for course in courses}
    return {"registrations": [_registration(one, courses, texts) for one in records], "unregistered": late_ones}


def _registration(body: Json, courses: list[DerivedCourse], texts: Mapping[str, str]) -> Json:
    files = dict(body["files"])
    names = sorted(files.keys() | texts.keys())
    return {
        **{name: body[name] for name in ("id", "version", "code", "records", "openings")},
        "changed_files": [name for name in names if files.get(name) != texts.get(name)],
        "deviations": {course.declared.dataset: list(said_by(body, course).deviations(course)) for course in courses},
    }

"""Openings, registrations, and what the study did otherwise than these say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from realitycheck.verify.digests import Json
from realitycheck.verify.retold import Retold

UNSAID = {"compare": "baseline", "select": "best"}
"""Claims that a record holds only where they are others."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a record declared on one dataset: the searches of each loss, and the claims."""

    searches: Json
    claims: Json

    def changed(self, story: Retold) -> set[str]:
        """The claims that are others by now."""
        before, after = {**UNSAID, **self.claims}, {**UNSAID, **story.declared.claims}
        return {name for name, value in before.items() if after.get(name) != value}

    def added(self, story: Retold) -> list[str]:
        """Losses that it does not have."""
        return [label for label in story.declared.whole.labels if label not in self.searches]

    def dropped(self, story: Retold) -> list[str]:
        """Losses that only it has."""
        return sorted(set(self.searches) - set(story.declared.whole.labels))

    def otherwise(self, story: Retold) -> list[str]:
        """Losses with other searches."""
        keys = {row.label: [search.key for search in row.searches] for row in story.losses}
        return [label for label, own in keys.items() if list(self.searches.get(label, own)) != own]

    def undeclared(self, story: Retold) -> set[str]:
        """Losses of which a part is not declared: all of them where a claim changed or a loss was dropped."""
        if self.changed(story) - {"same"} or self.dropped(story):
            return set(story.declared.whole.labels)
        return {*self.added(story), *self.otherwise(story)}

    def deviations(self, story: Retold) -> Iterator[str]:
        """One phrase for each."""
        yield from (f"{name.replace('_', ' ')} changed" for name in sorted(self.changed(story)))
        yield from (f"{label} added" for label in self.added(story))
        yield from (f"{label} dropped" for label in self.dropped(story))
        yield from (f"{label} searched otherwise" for label in self.otherwise(story))


def said_by(registration: Json, story: Retold) -> Said:
    """What a registration declares on the dataset."""
    dataset = story.declared.dataset
    return Said(registration["searches"].get(dataset, {}), registration["claims"].get(dataset, {}))


def after_opening(story: Retold) -> set[str]:
    """Losses of which a part was decided after the first opening."""
    undeclared: set[str] = set()
    for opening in story.openings[:1]:
        searches = {**opening["searches"], **opening.get("set_aside", {})}
        undeclared |= Said(searches, opening["claims"]).undeclared(story)
    return undeclared


def before_opening(story: Retold) -> list[Json]:
    """The registrations on the dataset that came before its first opening."""
    dataset = story.declared.dataset
    there = [one for one in story.registrations if dataset in one["plans"]]
    first = story.openings[:1]
    return [one for one in there if not first or one["openings"][dataset] <= first[0]["number"]]


def unregistered(story: Retold) -> set[str]:
    """Losses of which a part is not in the last registration before the first opening."""
    return said_by(before_opening(story)[-1], story).undeclared(story) if before_opening(story) else set()


def exploratory(story: Retold) -> set[str]:
    """Losses that were decided after the opening, or not registered."""
    return after_opening(story) | unregistered(story)


def late(story: Retold) -> set[str]:
    """Losses that were set aside at the first opening and are done by now."""
    done = {row.label for row in story.losses if all(search.done for search in row.searches)}
    return {label for opening in story.openings[:1] for label in opening.get("set_aside", {}) if label in done}


def openings(story: Retold) -> list[Json]:
    """The openings of the test half, as `tables.json` holds them."""
    return [{"losses": list(one["searches"]), "before": one["number"]} for one in story.openings]


def registrations(stories: list[Retold], texts: Mapping[str, str]) -> Json:
    """The registrations with all deviations, and what was not registered in time."""
    records = stories[0].registrations if stories else []
    late_ones = {story.declared.dataset: sorted(unregistered(story)) for story in stories}
    return {"registrations": [_registration(one, stories, texts) for one in records], "unregistered": late_ones}


def _registration(body: Json, stories: list[Retold], texts: Mapping[str, str]) -> Json:
    files = dict(body["files"])
    names = sorted(files.keys() | texts.keys())
    return {
        **{name: body[name] for name in ("id", "version", "code", "records", "openings")},
        "changed_files": [name for name in names if files.get(name) != texts.get(name)],
        "deviations": {story.declared.dataset: list(said_by(body, story).deviations(story)) for story in stories},
    }

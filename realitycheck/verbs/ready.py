"""Stores that jobs may use: their bytes are those that were written, and what changed in the data has been said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from realitycheck.check.weight_files import protocols_with_weights, set_aside_weights
from realitycheck.executors.base import Executor, Job
from realitycheck.protocol.read import ReadStudy
from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.feature_parts import features_path
from realitycheck.stores.integrity import damage, set_store_aside
from realitycheck.stores.prepare import HALVES, Stores
from realitycheck.verbs.frozen import with_features
from realitycheck.verbs.present import data_changes, remember_data, set_damaged_manifests_aside
from realitycheck.verbs.study import Progress, Say, prepare_data

TESTING = ("score", "neighbors")
"""Kinds of jobs that are given the test half."""


@dataclass(slots=True)
class StoreCheck:
    """The check of the bytes of a study's stores: before their first use, and again before they are scored.

    Args:
        read: the study.
        watch: sees the progress.
        say: called with every damaged store.
        scored: the datasets whose stores were checked before their scores.
    """

    read: ReadStudy
    watch: Progress
    say: Say
    scored: set[str] = field(default_factory=set)

    def pixels(self) -> dict[str, Stores]:
        """The stores of each dataset, of which all that will be read is sound; damaged ones are made again."""
        for choice in self.read.study.datasets:
            for protocol in protocols_with_weights(self.read, choice.name):
                if problem := set_aside_weights(self.read, protocol):
                    self.say(problem)
        sound: set[Path] = set()
        while True:
            stores = prepare_data(self.read, watch=self.watch)
            for notice in (notice for pair in stores.values() for notice in pair.notices):
                self.say(notice)
            used = [path for name, pair in stores.items() for path in self._used(name, pair)]
            unsound = [path for path in used if path not in sound and not self._is_sound(path)]
            sound |= set(used) - set(unsound)
            if not unsound:
                return stores

    def before_score(self, name: str, stores: Stores) -> bool:
        """Whether the stores of a dataset may be scored; checked once, and a damaged one is set aside."""
        if name not in self.scored:
            if not all(self._is_sound(path) for path in stores.scored):
                return False
            self.scored.add(name)
        return True

    def _used(self, name: str, pair: Stores) -> list[Path]:
        """What jobs will read of a dataset: its pixels, or the features of a frozen trunk where they are finished."""
        recipe, foundations = self.read.study.protocol_on(name).recipe, self.read.study.foundations
        own = [*(getattr(pair, half) for half in HALVES), *pair.pairs.values()]
        frozen = ((pair.foundations[one.named(label)], one.recipe(recipe)) for label, one in foundations.items())
        return [_read_of(path, by) for path, by in (*((path, recipe) for path in own), *frozen)]

    def _is_sound(self, path: Path) -> bool:
        title = f"SHA-256 of {path.parent.parent.name}, {path.name}, megabytes"
        harm = damage(path, watch=partial(_megabytes, self.watch, title))
        if harm is None:
            return path.with_suffix(".json").exists()
        if problem := set_store_aside(harm):
            self.say(problem)
        return False


def ready_stores(check: StoreCheck, executor: Executor, *, device: str, remember: bool) -> dict[str, Stores]:
    """The stores that jobs may work on; what changed in the data is said before any feature is computed.

    Args:
        check: the study and its check.
        executor: computes features of frozen trunks.
        device: where they are computed.
        remember: whether the images are written down as those of the last run.
    """
    pixels = check.pixels()
    for problem in data_changes(check.read, pixels):
        check.say(problem)
    if remember:
        set_damaged_manifests_aside(check.read)
        remember_data(check.read, pixels)
    return with_features(check.read, pixels, executor, device=device, watch=check.watch)


def is_score_ready(check: StoreCheck, stores: Mapping[str, Stores], job: Job) -> bool:
    """Whether a job may start, as far as the bytes of its stores are concerned."""
    name = job.group.split("/")[0]
    return job.kind not in TESTING or check.before_score(name, stores[name])


def _read_of(pixels: Path, recipe: Recipe) -> Path:
    """The features of a frozen trunk where they are finished, else the pixels."""
    computed = features_path(pixels, recipe) if recipe.trunk.frozen else pixels
    return computed if computed.with_suffix(".json").exists() else pixels


def _megabytes(watch: Progress, title: str, done: int, size: int) -> None:
    watch(title, done // 10**6, size // 10**6)

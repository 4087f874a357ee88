"""What a frozen trunk needs before a run: its features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from realitycheck.check.weight_files import weights_file
from realitycheck.errors import RunError
from realitycheck.evaluations.menu import corruption_in
from realitycheck.executors.base import Executor, Job, require_storage
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.read import ReadStudy
from realitycheck.protocol.recipe import Recipe
from realitycheck.search.attempts import ATTEMPTS, is_device_memory
from realitycheck.stores.cache import read_meta
from realitycheck.stores.feature_parts import IMAGES_PER_PART, join_parts, missing
from realitycheck.stores.prepare import Stores
from realitycheck.verbs.study import Progress

COMPUTE = "realitycheck.training.frozen_features:compute"


def with_features(
    read: ReadStudy, stores: Mapping[str, Stores], executor: Executor, *, device: str, watch: Progress
) -> dict[str, Stores]:
    """The stores that runs work on: of pixels, or where the trunk is frozen of its features, computed where missing.

    Raises:
        InputError: the weights are not available.
        RunError: features could not be computed.
    """
    return {
        name: _computed(read, name, pixels, executor, device=device, watch=watch) for name, pixels in stores.items()
    }


def _computed(
    read: ReadStudy, name: str, stores: Stores, executor: Executor, *, device: str, watch: Progress
) -> Stores:
    protocol = read.study.protocol_on(name)

    def computed(pixels: Path, part: str, recipe: Recipe, corruption: str = "") -> Path:
        title = f"features of {name}, {part}"
        weights = weights_file(read, protocol.model_copy(update={"recipe": recipe}))
        jobs = _FeatureJobs(title, pixels, recipe, weights, device, corruption)
        images = len(read_meta(pixels)["labels"])
        _carry_out(list(jobs.jobs()), executor, watch=partial(_report_progress, watch, title, images))
        return join_parts(pixels, recipe, corruption=corruption)

    foundations = {
        one.named(label): computed(stores.foundations[one.named(label)], label, one.recipe(protocol.recipe))
        for label, one in read.study.foundations.items()
    }
    if not protocol.recipe.trunk.frozen:
        return replace(stores, foundations=foundations)
    features = partial(computed, recipe=protocol.recipe)
    return replace(
        stores,
        foundations=foundations,
        trainval=features(stores.trainval, "trainval"),
        test=features(stores.test, "test"),
        corrupted={one: features(stores.test, f"test, {one}", corruption=one) for one in corruptions_of(protocol)},
        pairs={listed: features(path, f"pairs of {listed}") for listed, path in stores.pairs.items()},
    )


def corruptions_of(protocol: Protocol) -> tuple[str, ...]:
    """Kind and severity of every corruption of the test half that a protocol names."""
    return tuple(options for name in protocol.evaluations if (options := corruption_in(name)))


def _report_progress(watch: Progress, title: str, images: int, done: int) -> None:
    watch(title, min(done, images), images)


@dataclass(frozen=True, slots=True)
class _FeatureJobs:
    """A frozen trunk's features at one half."""

    title: str
    pixels: Path
    recipe: Recipe
    weights: str | None
    device: str
    corruption: str

    def jobs(self) -> Iterator[Job]:
        recipe = self.recipe.model_dump(mode="json")
        common = {"pixels": str(self.pixels), "recipe": recipe, "weights": self.weights, "device": self.device}
        common |= {"corruption": self.corruption} if self.corruption else {}
        for start in missing(self.pixels, self.recipe, corruption=self.corruption):
            title = f"{self.title}, from image {start}"
            yield Job(
                "features", f"{self.pixels}/{self.corruption}{start}", self.title, title, {**common, "start": start}
            )


def _carry_out(jobs: list[Job], executor: Executor, *, watch: Callable[[int], None]) -> None:
    """All of the jobs, as many at a time as the executor takes; a part that is done stays done if another fails."""
    waiting, done, failures = list(jobs), 0, Counter[str]()
    while done < len(jobs):
        watch(done * IMAGES_PER_PART)
        while waiting and executor.free > 0:
            executor.submit(waiting.pop(0), address=COMPUTE)
        back = executor.wait(seconds=1.0)
        require_storage(back)
        for finished in back:
            if finished.body is not None:
                done += 1
                continue
            failures[finished.job.id] += 1
            if failures[finished.job.id] >= ATTEMPTS:
                raise RunError(f"{finished.job.title}: {finished.failure}")
            crowded = finished.job.alone or is_device_memory(finished.failure or "")
            waiting.append(replace(finished.job, alone=crowded))

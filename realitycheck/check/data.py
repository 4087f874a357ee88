"""The images of a dataset against a protocol: classes cut, folds cut, batches filled, queries answered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from realitycheck.catalog import build_dataset
from realitycheck.check.rules.base import Found, Made, not_allowed, out_of_range, raise_own, rule
from realitycheck.datasets.base import Dataset
from realitycheck.datasets.interface import require_interface
from realitycheck.errors import InputError, Problem, first_few
from realitycheck.evaluations.menu import pairs_and_seed
from realitycheck.metrics.pair_counts import possible_pairs
from realitycheck.plan.splits import make_folds, split_classes
from realitycheck.protocol.document import Document, Fault
from realitycheck.protocol.recipe import Fit
from realitycheck.protocol.split_keys import SplitRule
from realitycheck.protocol.study_file import WrittenDataset, dataset_choice
from realitycheck.stores.decode_parts import kept_images
from realitycheck.stores.prepare import Stores, prepare

Order = Literal["sorted", "shuffled", "official"]

Sizes = Sequence[tuple[str, int]]
"""Name and number of images of each class of a half, in the order of its labels."""


def data_faults(source: str, problems: Sequence[Problem]) -> list[Fault]:
    """The problems of a dataset's own files, as faults of the dataset in a study."""
    return [Fault(problem.code, f"{source}{_joined(problem)}{replace(problem, code='')}") for problem in problems]


def _joined(problem: Problem) -> str:
    return ", " if problem.line or problem.where else ": "


@rule(
    "keys(study.datasets.<dataset>)",
    address="dataset.address",
    root="dataset.root",
    exclude="study.datasets.<dataset>.exclude",
    name="<dataset>",
    study="file.study",
    makes="made.<dataset>.images",
)
def dataset_opens(
    _: object, *, address: str, root: str | None, exclude: tuple[str, ...] | None, name: str, study: Document
) -> Found:
    """The files of a dataset are there."""
    try:
        choice = dataset_choice(name, WrittenDataset(dataset=address, root=root, exclude=exclude), study.path.parent)
    except ValidationError:  # the dataset's own name is no name: reported with the file
        return
    try:
        dataset = build_dataset(choice)
        require_interface(dataset)
    except InputError as error:
        yield from data_faults(error.source, error.problems)
    except (Exception, SystemExit) as error:  # the class of a study's author may raise anything
        if not isinstance(error, OSError | SystemExit):
            raise_own(error, address)
        cause = getattr(error, "strerror", None) or str(error)
        yield Fault("dataset-opens", f"cannot open {address}: {type(error).__name__}: {cause}. Correct its root.")
    else:
        yield Made(dataset)


@rule("protocol@<dataset>.split.order", dataset="made.<dataset>.images", name="<dataset>")
def official_split_is_there(order: str, *, dataset: Dataset, name: str) -> Found:
    """A dataset that is split as its makers did has such a split."""
    if order == "official" and dataset.official is None:
        because = f"'{name}' has no split of its own"
        yield not_allowed("split-official-missing", "`official`", because, "Use `sorted` or `shuffled`.")


@rule(
    "keys(study.datasets.<dataset>)",
    dataset="made.<dataset>.images",
    order="protocol@<dataset>.split.order",
    seed="protocol@<dataset>.split.seed",
    makes="made.<dataset>.split",
)
def classes_can_be_split(_: object, *, dataset: Dataset, order: Order, seed: int) -> Found:
    """Each half has two classes."""
    try:
        split_classes(len(dataset.classes), order=order, seed=seed, official=dataset.official)
    except InputError as error:
        yield from (Fault(problem.code, problem.says) for problem in error.problems)
    else:
        yield Made(SplitRule(order=order, seed=seed))


@rule(
    "keys(study.datasets.<dataset>)",
    name="<dataset>",
    dataset="made.<dataset>.images",
    split="made.<dataset>.split",
    image_size="protocol@<dataset>.recipe.image_size",
    resize="protocol@<dataset>.recipe.resize",
    fit="protocol@<dataset>.recipe.fit",
    folder="made.stores",
    others="made.others",
    watch="made.watch",
    makes="made.<dataset>.stores",
)
def images_can_be_decoded(
    _: object,
    *,
    name: str,
    dataset: Dataset,
    split: SplitRule,
    image_size: int,
    resize: int | None,
    fit: Fit,
    folder: Callable[[str], Path],
    others: Sequence[Path],
    watch: Callable[[str, int, int], None],
) -> Found:
    """Every image can be read; the pixel stores are made on the way."""
    progress = partial(watch, f"images of {name}")
    try:
        stores = prepare(
            dataset,
            folder(name),
            split=split,
            kept=kept_images(image_size=image_size, resize=resize, fit=fit),
            watch=progress,
            others=others,
        )
    except InputError as error:
        yield from data_faults(error.source, error.problems)
    else:
        yield Made(stores)


@rule("keys(study.datasets.<dataset>)", sizes="made.<dataset>.stores")
def trainval_classes_are_large_enough(_: object, *, sizes: Stores) -> Found:
    """An image of a trainval class has another one of its class."""
    if any(count < 2 for _, count in sizes.trainval_sizes):
        small = _smaller(sizes.trainval_sizes, 2)
        says = f"trainval classes are out of range: must have 2 or more images. Remove or fill {small}."
        yield Fault("class-too-small", says)


@rule("keys(study.datasets.<dataset>)", sizes="made.<dataset>.stores")
def test_half_has_a_query(_: object, *, sizes: Stores) -> Found:
    """A test class has two images, so that a query has an answer."""
    if not any(count >= 2 for _, count in sizes.test_sizes):
        small = _smaller(sizes.test_sizes, 2)
        says = (
            f"the test half is out of range: it must have a class of 2 or more images. Add images, such as to {small}."
        )
        yield Fault("test-without-queries", says)


@rule("protocol.evaluations.<evaluation>", sizes="made.<dataset>.stores", name="<dataset>")
def pairs_within_the_test_half(evaluation: str, *, sizes: Stores, name: str) -> Found:
    """The test half has the pairs of each kind that an evaluation draws."""
    if not evaluation.startswith("verification:"):
        return
    pairs, most = (
        pairs_and_seed(evaluation.partition(":")[2])[0],
        possible_pairs([count for _, count in sizes.test_sizes]),
    )
    if pairs > min(most):
        must = (
            f"be at most {min(most)}: the test half of '{name}' has {most[0]} pairs of one class and {most[1]} of two"
        )
        yield out_of_range("pairs-range", f"{pairs} pairs", must)


@rule("protocol@<dataset>.folds.count", sizes="made.<dataset>.stores", name="<dataset>")
def folds_have_classes(count: int, *, sizes: Stores, name: str) -> Found:
    """There is a class for each fold."""
    classes = len(sizes.trainval_sizes)
    if count > classes:
        yield out_of_range("fold-count", count, f"be at most {classes}, the number of trainval classes of '{name}'")


@rule(
    "protocol@<dataset>.batches.<family>.classes",
    sizes="made.<dataset>.stores",
    name="<dataset>",
    family="<family>",
    trained="families",
)
def batch_within_trainval(classes: int, *, sizes: Stores, name: str, family: str, trained: Collection[str]) -> Found:
    """A batch has no more classes than the trainval half."""
    known = len(sizes.trainval_sizes)
    if family in trained and classes > known:
        yield out_of_range("batch-classes", classes, f"be at most {known}, the number of trainval classes of '{name}'")


@rule(
    "protocol@<dataset>.batches.<family>.classes",
    sizes="made.<dataset>.stores",
    name="<dataset>",
    family="<family>",
    trained="families",
    count="protocol@<dataset>.folds.count",
    kind="protocol@<dataset>.folds.kind",
    seed="protocol@<dataset>.folds.seed",
    share="protocol@<dataset>.folds.share",
)
def batch_within_a_fold(
    classes: int,
    *,
    sizes: Stores,
    name: str,
    family: str,
    trained: Collection[str],
    count: int,
    kind: Literal["blocks", "shuffled", "mlrc", "hold_out"],
    seed: int,
    share: float,
) -> Found:
    """A batch has no more classes than any fold trains on."""
    folds = make_folds(range(len(sizes.trainval_sizes)), count=count, kind=kind, seed=seed, share=share)
    fewest = min(len(fold.train) for fold in folds)
    if family in trained and classes > fewest:
        must = f"be at most {fewest}, the number of training classes of a fold of '{name}'"
        yield out_of_range("batch-classes", classes, must)


@rule(
    "protocol@<dataset>.batches.<family>.per_class",
    sizes="made.<dataset>.stores",
    name="<dataset>",
    family="<family>",
    trained="families",
    stream="protocol@<dataset>.batches.<family>.stream",
    repeats="protocol@<dataset>.batches.<family>.repeats",
)
def classes_fill_their_share(
    per_class: int, *, sizes: Stores, name: str, family: str, trained: Collection[str], stream: bool, repeats: bool
) -> Found:
    """A class has the images that a batch takes of it, unless those of a small class are drawn with replacement."""
    smallest = min((count for _, count in sizes.trainval_sizes), default=0)
    if family in trained and not (stream or repeats) and per_class > smallest:
        small = _smaller(sizes.trainval_sizes, per_class)
        must = f"be at most {smallest}, the number of images of the smallest class of '{name}'"
        fix = f"Lower it, or remove these smaller classes, or add images to them: {small}."
        yield out_of_range("batch-per-class", per_class, must, fix=fix)


def _smaller(sizes: Sizes, least: int) -> str:
    """The classes of fewer than `least` images, by name, with their numbers of images."""
    return first_few([f"{name} ({count})" for name, count in sorted(sizes) if count < least])

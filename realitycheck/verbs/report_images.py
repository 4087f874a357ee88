"""`report --images`: the queries and neighbours of a study as pictures, drawn from the data into an ignored folder."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realitycheck import catalog
from realitycheck.datasets.base import Dataset
from realitycheck.errors import InputError, Problem
from realitycheck.plan.splits import split_classes
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.read import ReadStudy
from realitycheck.records.nearest_images import ShownImage
from realitycheck.stores.manifest import DIGITS
from realitycheck.verbs.report import reported, study_evidence

SIDE = 112
"""Longer side of a thumbnail in pixels."""

IGNORED = "*\n"
"""The `.gitignore` of the folder: photos are never committed."""


def report_images(study: ReadStudy | Path | str) -> list[Path]:
    """Draw the images whose nearest neighbours are stored, and these, into `images` beside the report.

    The folder has a `.gitignore` of its own, and no other page links to it.

    Raises:
        InputError: no neighbours are stored, the data are missing, or an image is not the one of the record.
        LedgerError: the ledger is damaged.
    """
    from realitycheck.report.writers.photo_page import PhotoSheet, photo_page, shown_images
    from realitycheck.report.writers.text_files import write_texts

    read, ledger = reported(study)
    sheets = []
    for evidence in study_evidence(read, ledger):
        if (images := shown_images(evidence)) is not None:
            pictures = _thumbnails(read, evidence.dataset, images)
            sheets.append(PhotoSheet.of(evidence, pictures))
    if not sheets:
        says = "no nearest neighbours are stored: `run` stores them when it opens the test half."
        raise InputError.one(str(read.path), "neighbors-missing", says)
    folder = read.home / "reports" / read.study.study / "images"
    page = photo_page(read.study.study, sheets)
    return write_texts(folder, {".gitignore": IGNORED, "index.html": page})


def _thumbnails(read: ReadStudy, name: str, images: Mapping[int, ShownImage]) -> dict[int, bytes]:
    """Number in the test half → JPEG, after a check that each image is the one of its record."""
    choice = next(choice for choice in read.study.datasets if choice.name == name)
    dataset, protocol = catalog.build_dataset(choice), read.study.protocol_on(name)
    places = _test_half(dataset, protocol)
    if problems := list(_differences(dataset, places, images)):
        raise InputError(f"the dataset {name}", problems)
    size = protocol.recipe.resize or protocol.recipe.image_size
    numbers = sorted(images)
    drawn = dataset.images([int(places[number]) for number in numbers], size=size)
    return {number: _jpeg(pixels) for number, pixels in zip(numbers, drawn, strict=True)}


def _test_half(dataset: Dataset, protocol: Protocol) -> NDArray[np.int64]:
    """The place in the dataset of each image of the test half."""
    rule = protocol.split
    halves = split_classes(len(dataset.classes), order=rule.order, seed=rule.seed, official=dataset.official)
    return np.concatenate([np.flatnonzero(dataset.labels == label) for label in halves.test])


def _differences(dataset: Dataset, places: NDArray[np.int64], images: Mapping[int, ShownImage]) -> Iterator[Problem]:
    """Images that are not those of the records, by class, name and digest."""
    for number, image in images.items():
        where = image.name or f"image {number} of the test half"
        if number >= len(places):
            yield _differs(where, "the test half here is smaller")
            continue
        place = int(places[number])
        if dataset.classes[dataset.labels[place]] != image.class_name:
            yield _differs(where, f"its class here is {dataset.classes[dataset.labels[place]]}")
        elif image.name and dataset.names_of([place]) != [image.name]:
            yield _differs(where, f"it is named {dataset.names_of([place])[0]} here")
        elif image.file and dataset.digests([place])[0][:DIGITS] != image.file:
            yield _differs(where, "the SHA-256 of its file is another one")


def _differs(where: str, what: str) -> Problem:
    says = f"not the image of the record: {what}. Restore the data that the study was run on."
    return Problem(0, where, says, "image-differs")


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """A small picture of (C, H, W) pixels."""
    whole = Image.fromarray(pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, 2))
    whole.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    whole.save(file, "JPEG", quality=88)
    return file.getvalue()

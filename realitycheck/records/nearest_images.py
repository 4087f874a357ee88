"""The record of the nearest neighbours of a few images of the test half, by name, and the images that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from realitycheck.canonical import digest
from realitycheck.runs import RESULTS_VERSION, Body

QUERIES = 8
"""Images of each test half whose neighbours are stored."""

NEAREST = 5
"""Neighbours of each that are stored."""


@dataclass(frozen=True, slots=True)
class ShownImage:
    """One image of the test half.

    Args:
        image: its number in the test half, from 0.
        name: the path of its file below the root; empty where the dataset has no files.
        file: the first digits of the SHA-256 of its file, as in the manifest; empty where the dataset has no files.
        class_name: the name of its class; `class` in JSON.
    """

    image: int
    name: str
    file: str
    class_name: str

    def to_json(self) -> Body:
        """This image as plain JSON values."""
        return {"image": self.image, "name": self.name, "file": self.file, "class": self.class_name}


@dataclass(frozen=True, slots=True)
class Query(ShownImage):
    """An image whose neighbours are stored.

    Args:
        image: its number in the test half, from 0.
        name: the path of its file below the root; empty where the dataset has no files.
        file: the first digits of the SHA-256 of its file, as in the manifest; empty where the dataset has no files.
        class_name: the name of its class; `class` in JSON.
        place: its number in its class, from 0.
        size: number of images of its class.
    """

    place: int
    size: int

    @classmethod
    def of(cls, shown: ShownImage, *, place: int, size: int) -> Query:
        """Return the query of an image, with its place in its class and the size of that class."""
        return cls(shown.image, shown.name, shown.file, shown.class_name, place, size)

    def to_json(self) -> Body:
        """This query as plain JSON values."""
        return {**ShownImage.to_json(self), "place": self.place, "size": self.size}


@dataclass(frozen=True, slots=True)
class NeighborsSpec:
    """What is asked: the neighbours of a few images of the test half, under the models of one row.

    Args:
        results_version: as in a run's spec.
        test: digest of the test half.
        models: run ids; the embeddings of several are concatenated, as in a score.
        distance: `cosine` or `euclidean`: the one that the loss declares.
        queries: numbers of the images, from 0.
        count: neighbours of each that are stored.
    """

    results_version: int
    test: str
    models: tuple[str, ...]
    distance: str
    queries: tuple[int, ...]
    count: int

    @property
    def id(self) -> str:
        """The digest of the whole spec."""
        return digest({"neighbors": self.to_json()})

    def to_json(self) -> Body:
        """This spec as plain JSON values."""
        return {
            "results_version": self.results_version,
            "test": self.test,
            "models": list(self.models),
            "distance": self.distance,
            "queries": list(self.queries),
            "count": self.count,
        }

    @classmethod
    def from_json(cls, body: Body) -> NeighborsSpec:
        """The spec that `to_json` wrote.

        Raises:
            TypeError: a field is missing or unknown.
        """
        return cls(**{**body, "models": tuple(body["models"]), "queries": tuple(body["queries"])})


@dataclass(frozen=True, slots=True)
class NeighborLists:
    """The nearest neighbours of a few images of the test half; no pixels, and no distances.

    Args:
        spec: what was asked.
        nearest: of each query, the nearest other images of the test half, nearest first; ties go to the lower number.
        first_right: of each query, the rank from 1 of the nearest image of its class.
    """

    kind: ClassVar[str] = "neighbors"

    spec: NeighborsSpec
    nearest: tuple[tuple[ShownImage, ...], ...]
    first_right: tuple[int, ...]

    @property
    def id(self) -> str:
        """Digest of the spec."""
        return self.spec.id

    def to_json(self) -> Body:
        """The body of the record."""
        return {
            "kind": self.kind,
            "id": self.id,
            "results_version": RESULTS_VERSION,
            "spec": self.spec.to_json(),
            "nearest": [[image.to_json() for image in images] for images in self.nearest],
            "first_right": list(self.first_right),
        }


def neighbors_spec(test: str, models: Sequence[str], distance: str, queries: Sequence[Query]) -> NeighborsSpec:
    """What is asked of the models of one row."""
    numbers = tuple(query.image for query in queries)
    return NeighborsSpec(RESULTS_VERSION, test, tuple(models), distance, numbers, NEAREST)

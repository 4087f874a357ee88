"""The nearest neighbours of a few test images, right and wrong, by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from realitycheck.records.evidence import DatasetEvidence
from realitycheck.records.nearest_images import NeighborLists, Query, ShownImage
from realitycheck.report.blocks import Block, Column, Content, Heading, Marked, Note, RowGroup, Table
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import count, enumeration

RIGHT, WRONG = "✓", "✗"


@dataclass(frozen=True, slots=True)
class NearImage:
    """One neighbour of a query.

    Args:
        image: its number in the test half, from 0.
        name: the path of its file; empty where the dataset has no files.
        file: the first digits of the SHA-256 of its file, or empty.
        class_name: the name of its class.
        right: whether that is the class of the query.
    """

    image: int
    name: str
    file: str
    class_name: str
    right: bool


@dataclass(frozen=True, slots=True)
class RowNeighbors:
    """The neighbours under the models of one row.

    Args:
        label: the loss, or the untrained row.
        models: ids of the runs.
        distance: the one that the loss declares.
        nearest: of each query, nearest first.
        first_right: of each query, the rank of the nearest image of its class.
    """

    label: str
    models: tuple[str, ...]
    distance: str
    nearest: tuple[tuple[NearImage, ...], ...]
    first_right: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NeighborFacts:
    """The lists of all rows.

    Args:
        queries: those of the opening, in the order of the lists.
        rows: the losses in the study's order, then the untrained embedder; those with a list.
        without: the labels of the other losses.
    """

    queries: tuple[Query, ...]
    rows: tuple[RowNeighbors, ...]
    without: tuple[str, ...]


def find(dataset: DatasetFindings) -> NeighborFacts | None:
    """The lists of all rows; None where none is stored."""
    return facts_of(dataset.evidence)


def facts_of(evidence: DatasetEvidence) -> NeighborFacts | None:
    """The same of a dataset's evidence alone."""
    stored = [(row.label, row.neighbors) for row in (*evidence.losses, *evidence.untrained) if row.neighbors]
    numbers = {record.spec.queries for _, record in stored}
    queries = next((one.queries for one in evidence.openings if _numbers(one.queries) in numbers), ())
    if not queries:
        return None
    return NeighborFacts(
        queries=queries,
        rows=tuple(_row(label, record, queries) for label, record in stored),
        without=tuple(loss.label for loss in evidence.losses if loss.neighbors is None),
    )


def _numbers(queries: tuple[Query, ...]) -> tuple[int, ...]:
    return tuple(query.image for query in queries)


def _row(label: str, record: NeighborLists, queries: tuple[Query, ...]) -> RowNeighbors:
    nearest = tuple(
        tuple(_near(image, query.class_name) for image in images)
        for query, images in zip(queries, record.nearest, strict=True)
    )
    return RowNeighbors(label, record.spec.models, record.spec.distance, nearest, record.first_right)


def _near(image: ShownImage, wanted: str) -> NearImage:
    return NearImage(image.image, image.name, image.file, image.class_name, right=image.class_name == wanted)


def blocks(dataset: DatasetFindings, facts: NeighborFacts) -> Iterator[Block]:
    """Print one row per loss below each query."""
    most = max(len(images) for row in facts.rows for images in row.nearest)
    models = "complete model" if dataset.protocol.completes else "fold models together"
    yield Heading(3, "Nearest neighbours")
    columns = [Column("Query"), Column("Loss"), *(Column(str(rank)) for rank in range(1, most + 1))]
    yield Table(
        (*columns, Column("First right", number=True)),
        tuple(_group(facts, place, most) for place in range(len(facts.queries))),
        caption=f"The {most} nearest other test images of {count(len(facts.queries), 'query', 'queries')}, under the "
        f"{models} of each loss's first replicate. {RIGHT}: an image of the query's class. {WRONG}: one of another "
        "class, which is named. First right: the rank of the nearest image of the query's class.",
    )
    yield Note(
        "The queries were drawn from the root seed before any score, at most one of a class, and are the same for all "
        "losses. They show how models fail; so few are no evidence of a difference. Names and digests of all images "
        "are in tables.json."
    )
    if facts.without:
        yield Note(f"No list is stored for {enumeration(facts.without)}.")


def _group(facts: NeighborFacts, place: int, most: int) -> RowGroup:
    query = facts.queries[place]
    head = Marked(query.class_name, below=query.name or f"image {query.image} of the test half")
    rows = [(Marked(row.label), *_cells(row, place, most)) for row in facts.rows]
    return RowGroup(tuple(rows), head=head)


def _cells(row: RowNeighbors, place: int, most: int) -> tuple[Content, ...]:
    shown = [RIGHT if image.right else f"{WRONG} {image.class_name}" for image in row.nearest[place]]
    return (*shown, *([""] * (most - len(shown))), str(row.first_right[place]))


SECTION = Section(
    name="neighbors",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
)

"""The page of thumbnails: queries and their nearest neighbours, framed as right or wrong. It is never committed."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from realitycheck.records.evidence import DatasetEvidence
from realitycheck.records.nearest_images import ShownImage
from realitycheck.report.sections.neighbor_table import RIGHT, WRONG, NeighborFacts, facts_of
from realitycheck.report.writers.html_page import FOLDER


@dataclass(frozen=True, slots=True)
class PhotoSheet:
    """The pictures of one dataset.

    Args:
        dataset: its name.
        facts: what is stored.
        pictures: number of an image in the test half → JPEG.
    """

    dataset: str
    facts: NeighborFacts
    pictures: Mapping[int, bytes]

    @classmethod
    def of(cls, evidence: DatasetEvidence, pictures: Mapping[int, bytes]) -> PhotoSheet:
        """The sheet of a dataset with stored neighbours."""
        facts = facts_of(evidence)
        assert facts is not None
        return cls(evidence.dataset, facts, pictures)

    def source(self, image: int) -> str:
        """A picture as an address that needs no file."""
        return f"data:image/jpeg;base64,{base64.b64encode(self.pictures[image]).decode()}"


def shown_images(evidence: DatasetEvidence) -> dict[int, ShownImage] | None:
    """Number → each image that is stored as a query or a neighbour; None where none is."""
    facts = facts_of(evidence)
    if facts is None:
        return None
    near = (image for row in facts.rows for images in row.nearest for image in images)
    listed = {one.image: ShownImage(one.image, one.name, one.file, one.class_name) for one in near}
    return listed | {query.image: query for query in facts.queries}


def photo_page(title: str, sheets: Sequence[PhotoSheet]) -> str:
    """Render the page as one HTML text; text from outside is escaped."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    template = environment.get_template("photo_page.html.j2")
    return template.render(title=title, sheets=sheets, right=RIGHT, wrong=WRONG)

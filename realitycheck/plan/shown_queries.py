"""Which images of a test half are shown with their nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.plan.seeds import derive
from realitycheck.records.nearest_images import QUERIES


def draw_queries(root: int, dataset: str, sizes: Sequence[tuple[str, int]]) -> tuple[tuple[int, int], ...]:
    """Draw images of a test half, at most one of a class: the number of each class, and that of the image in it.

    Classes with two or more images take part, those with the lowest seeds of their own are drawn. So the draw follows
    from the root seed, the dataset and the names of the classes, and is the same for all losses.

    Args:
        root: the protocol's root seed.
        dataset: the dataset's name in the study.
        sizes: name and number of images of each test class, in class order.
    """
    fitting = [number for number, (_, images) in enumerate(sizes) if images > 1]
    keys = {number: derive(root, dataset, "queries", sizes[number][0]) for number in fitting}
    drawn = sorted(sorted(fitting, key=lambda number: (keys[number], number))[:QUERIES])
    places = (derive(root, dataset, "queries", sizes[number][0], "image") % sizes[number][1] for number in drawn)
    return tuple(zip(drawn, places, strict=True))

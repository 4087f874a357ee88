"""`list_neighbors`: the nearest neighbours of a few images of the test half, by name."""

from __future__ import annotations

from pathlib import Path

from realitycheck.evaluations.score import embedded, joined
from realitycheck.executors.base import Steps, Tell
from realitycheck.metrics.neighbors.whole_order import ranked
from realitycheck.records.nearest_images import NeighborLists, NeighborsSpec
from realitycheck.runs import CLEAN, Body, ScoringPlace
from realitycheck.stores.manifest import half_of_store


def list_neighbors(payload: Body, *, tell: Tell) -> Body:
    """List the neighbours under the models of `payload["spec"]` at `payload["place"]`; the body of the record.

    Args:
        payload: as that of `score`; its spec is a `NeighborsSpec`.

    Raises:
        RunError: as `score`.
    """
    spec, place = NeighborsSpec.from_json(payload["spec"]), ScoringPlace(**payload["place"])
    steps = Steps(tell, len(spec.models) + 1)  # embeddings, and the order of their neighbours
    members, test = embedded(spec.models, CLEAN, place, test=spec.test, weights=payload["weights"], steps=steps)
    order = ranked(joined(members, distance=spec.distance), queries=spec.queries, distance=spec.distance).tolist()
    steps.step()
    half, labels = half_of_store(Path(place.test)), test.labels.tolist()
    nearest = tuple(tuple(half.shown(image) for image in images[: spec.count]) for images in order)
    first = (
        1 + next(rank for rank, image in enumerate(images) if labels[image] == labels[query])
        for query, images in zip(spec.queries, order, strict=True)
    )
    return NeighborLists(spec, nearest, tuple(first)).to_json()
